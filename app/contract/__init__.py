"""What merchants see of us, once: frozen Structs that the API's answers, the events, the SDK and the docs all share.

Members are snake_case, written in the order of their Struct. Their descriptions and examples are those of the OpenAPI
document, of the events' JSON Schemas and of the pages at ``/docs/events``. A new member is added at the end.
"""
