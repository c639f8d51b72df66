// Requests that a browser sends on behalf of another site (CSRF). A browser adds a Basic login by
// itself, so it proves nothing about the page that asked; tokens are added by hand, and no cookie
// ever logs anybody in.

export interface BrowserHints {
  /** `Sec-Fetch-Site`: every current browser sends it, and no page can change it. */
  readonly site: string | undefined
  readonly origin: string | undefined
  readonly host: string | undefined
}

/** True when the request comes from our own page, was typed by a person, or not from a browser. */
export function isSameOrigin({ site, origin, host }: BrowserHints): boolean {
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  if (origin === undefined) return true
  try {
    return new URL(origin).host === host
  } catch {
    // `null`, from a sandbox or a file.
    return false
  }
}
