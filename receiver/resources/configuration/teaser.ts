// What a person writes under `teaser`: what browsers may see of an upstream page before they pay.
import { z } from 'zod'

export interface TeaserConfig {
  /** A path of the upstream; with a `*` at its end the rest of the request's path goes there. */
  readonly from: string | undefined
  /** CSS selectors of what may be seen; undefined is all of it. */
  readonly show: readonly string[] | undefined
  /** Parameters of the query that make a page another one; the others do not reach the upstream. */
  readonly query: readonly string[]
  /** Milliseconds for which a teaser is shown again without asking the upstream. */
  readonly cache: number
}

export const teaserSchema = z
  .strictObject({
    from: z
      .string()
      .regex(/^\/[^\s?#*]*\*?$/, {
        error:
          'this is no path of the upstream: /preview.html, or /preview/* for one of each page.',
      })
      .optional()
      .describe('a path of the upstream that anybody may see, with * for the rest: /preview/*'),
    show: z
      .array(z.string().trim().min(1))
      .min(1)
      .optional()
      .describe('CSS selectors of the only elements that are shown: [h1, .summary]'),
    query: z
      .array(z.string().min(1))
      .max(16)
      .default([])
      .describe('parameters of the query that make it another page: [title]; others are left out'),
    cache: z
      .number({ error: 'this should be a number of seconds from 0 to 86400.' })
      .min(0)
      .max(86_400)
      .default(300)
      .describe('seconds until the upstream is asked again (300)'),
  })
  .superRefine(({ from, show }, context) => {
    if (from !== undefined || show !== undefined) return
    context.addIssue({
      code: 'custom',
      message: 'nothing says what may be seen without a payment.',
      params: { hint: 'Add show: [h1, .summary], or from: with the path of a page for everybody.' },
    })
  })
  .transform(
    ({ from, show, query, cache }): TeaserConfig => ({ from, show, query, cache: cache * 1000 }),
  )
