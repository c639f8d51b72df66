// The HTML around a page that its script fills.

export interface PageDocument {
  readonly title: string
  /** Addresses of its style and its script. */
  readonly style: string
  readonly script: string
  /** What is in `main`. */
  readonly main: string
}

export function pageDocument({ title, style, script, main }: PageDocument): string {
  return `<!doctype html>
<html lang="en" class="u-theme">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${style}">
<script type="module" src="${script}"></script>
</head>
<body>
<main>
${main.trim()}
</main>
</body>
</html>
`
}
