"""KnowledgeVault's glossary: what the product is about, free of the web, of SQL and of memory between calls."""
