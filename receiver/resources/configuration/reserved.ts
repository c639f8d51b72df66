// Paths that the receiver needs for itself, whatever is sold.
import { receiverError } from '../../errors/index.ts'

export const choosePath = 'Choose another path; /shop/admin is free, for example.'

/** What of the receiver is at a path; undefined when a resource may be there. */
export function reservedFor(path: string): string | undefined {
  const plain = path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '')
  if (plain === '/cm') return 'The channel manager’s sign of life'
  if (plain === '/admin') return 'The way to the dashboard'
  // `/api/*` is less exact than the routes below /api/1, and leaves them where they are.
  if (plain === '/api/1' || plain.startsWith('/api/1/')) return 'The channel API'
  return undefined
}

/** @throws UraidenError `resource_path_taken` */
export function refuseReserved(path: string): void {
  const own = reservedFor(path)
  if (own === undefined) return
  throw receiverError({
    code: 'resource_path_taken',
    message: `${own} is at "${path}", so nothing can be sold there.`,
    hint: choosePath,
  })
}
