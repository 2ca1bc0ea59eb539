"""Reports in the formats of other tools: Markdown, GitHub annotations, SARIF, JUnit."""
