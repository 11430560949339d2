"""Who may charge through us: merchants, their people and keys, the answers they got, what happened to theirs."""
