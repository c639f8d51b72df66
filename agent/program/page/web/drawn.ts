/** What every part of the page is drawn with. */
export interface Drawn {
  /** Milliseconds since 1970. */
  readonly now: number
  /** A number of smallest units, in the token's own. */
  readonly amount: (text: string) => string
  /** A token was given. */
  readonly mayAct: boolean
}
