"""Backups of everything, database and sealed keys in one encrypted file, proven by restoring them.

``sealed`` is the file's encryption, ``contents`` what lies in it, ``schema`` what a database consists of; ``taking``
writes a backup, ``restoring`` reads one into an empty shop, ``drill`` does so into a scratch one and proves it there.
"""
