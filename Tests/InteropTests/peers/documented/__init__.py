"""A secchat client written from docs/protocol.md alone, on noiseprotocol and PyNaCl. Sections named here are that page's."""
