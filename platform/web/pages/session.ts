// A login of this tab. The token is sent by hand with every request, so no page of another site can act
// in its place.

/** What a server refused, in its own words. */
export class Refusal extends Error {
  /** 0 when it did not answer. */
  readonly status: number

  constructor(status: number, text: string) {
    super(text)
    this.status = status
  }
}

export interface TabToken {
  readonly saved: () => string | null
  readonly save: (token: string) => void
  readonly forget: () => void
}

/** Kept until the tab is closed. */
export function tabToken(key: string): TabToken {
  return {
    saved: () => sessionStorage.getItem(key),
    save: (token) => sessionStorage.setItem(key, token),
    forget: () => sessionStorage.removeItem(key),
  }
}
