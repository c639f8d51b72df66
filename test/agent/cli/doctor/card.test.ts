import test from 'ava'
import { judgeCard } from '../../../../agent/cli/doctor/card.ts'

const now = 1_800_000_000_000
const minute = 60_000

test('doctor says how the card is written to, and when it was', (t) => {
  const gentle = { mode: 'gentle', flushed: now - 12 * minute } as const
  t.deepEqual(judgeCard({ card: 'gentle' }, { card: gentle }, now), {
    verdict: 'ok',
    says: 'gentle: written 12 min ago',
  })
  const careful = { mode: 'careful', flushed: undefined } as const
  t.deepEqual(judgeCard({ card: 'careful' }, { card: careful }, now), {
    verdict: 'ok',
    says: 'careful: written with each purchase',
  })
  t.deepEqual(judgeCard({ card: 'gentle' }, undefined, now), {
    verdict: 'ok',
    says: 'gentle, once the daemon runs',
  })
})

test('doctor warns where the daemon does otherwise than agent.yaml says', (t) => {
  const careful = { mode: 'careful', flushed: undefined } as const
  const found = judgeCard({ card: 'gentle' }, { card: careful }, now)
  t.is(found.verdict, 'warning')
  t.regex(found.says, /^careful: .*agent\.yaml says gentle: .*\$RUNTIME_DIRECTORY/)
  const gentle = { mode: 'gentle', flushed: undefined } as const
  const other = judgeCard({ card: 'careful' }, { card: gentle }, now)
  t.is(other.verdict, 'warning')
  t.regex(other.says, /agent\.yaml says careful: run uraiden-agent reload\.$/)
})
