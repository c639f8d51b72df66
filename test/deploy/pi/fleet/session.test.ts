// What a run over many hosts says: reasons once, and journals in one order.
import test from 'ava'
import { mergedLogs } from '../../../../deploy/pi/fleet/commands/logs.ts'
import { reasonsOf } from '../../../../deploy/pi/fleet/hosts/session.ts'
import { toolError } from '../../../../scripts/lib/shared/errors.ts'

const away = (host: string) => {
  const error = toolError({ code: 'ssh_unreachable', message: `${host} cannot be reached` })
  return { host, ok: false, error } as const
}
const denied = (host: string) => {
  const error = toolError({ code: 'ssh_denied', message: 'no', hint: `ssh-copy-id ${host}` })
  return { host, ok: false, error } as const
}

test('hosts with one reason are named together, the most frequent reason first', (t) => {
  const well = { host: 'shed', ok: true, result: {} } as const
  const reasons = reasonsOf([
    denied('attic'),
    away('cellar'),
    well,
    away('kitchen'),
    denied('loft'),
  ])
  t.deepEqual(
    reasons.map(({ error, hosts }) => [error, hosts]),
    [
      ['ssh_unreachable', ['cellar', 'kitchen']],
      // What to do is another thing on each.
      ['ssh_denied', ['attic']],
      ['ssh_denied', ['loft']],
    ],
  )
  t.deepEqual(reasonsOf([well]), [])
})

test('journals become one, by time; lines without one stay behind theirs', (t) => {
  const attic = { host: 'attic', ok: true } as const
  const lines = ['2026-11-28T10:00:00+0000 a', '    more of a', '2026-11-28T10:00:02+0000 c']
  const other = ['2026-11-28T10:00:01+0000 b']
  t.deepEqual(
    mergedLogs([
      { ...attic, result: { lines } },
      { host: 'kitchen', ok: true, result: { lines: other } },
      away('cellar'),
    ]),
    [
      'attic    2026-11-28T10:00:00+0000 a',
      'attic        more of a',
      'kitchen  2026-11-28T10:00:01+0000 b',
      'attic    2026-11-28T10:00:02+0000 c',
    ],
  )
})
