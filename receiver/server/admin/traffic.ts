// GET /admin/traffic: requests by hour or day and by resource.
import { z } from 'zod'
import { receiverError } from '../../errors/index.ts'
import type { Period, ResourceCounts } from '../../income/traffic.ts'
import { mostDays } from '../../income/traffic-recorder.ts'

export const mostHours = mostDays * 24

const query = z.strictObject({
  by: z.enum(['hour', 'day']).default('day'),
  count: z.coerce.number().int().min(1).max(mostHours).optional(),
})

const usual = { hour: 48, day: 30 } as const

/** @throws UraidenError `query_invalid` */
export function parseTrafficQuery(given: unknown): { readonly by: Period; readonly count: number } {
  const read = query.safeParse(given)
  if (!read.success) {
    throw receiverError({
      code: 'query_invalid',
      message: 'The query is wrong.',
      hint: `Write by=hour or by=day, and count from 1 to ${mostHours}.`,
    })
  }
  const { by, count = usual[by] } = read.data
  return { by, count: by === 'day' ? Math.min(count, mostDays) : count }
}

/** As plain data for JSON. */
export function trafficView(counts: readonly ResourceCounts[]) {
  return counts.map(({ income, ...rest }) => ({ ...rest, income: `${income}` }))
}
