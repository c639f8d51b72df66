// What only the leader can do, asked of a process that does not lead.
import test from 'ava'
import { type Address, parseAddress } from '../../../protocol/index.ts'
import type { Sharing } from '../../../receiver/channels/state.ts'
import { shareRelay } from '../../../receiver/core/led.ts'
import type { Relay } from '../../../receiver/settlement/relay.ts'

const sender: Address = parseAddress(`0x${'22'.repeat(20)}`)

test('of a relay few are asked for at once, whoever asks, and the next when one is done', async (t) => {
  const answers: ((answer: string) => void)[] = []
  const follower: Partial<Sharing> = {
    isLeading: () => false,
    onTerm: () => undefined,
    ask: () => new Promise((resolve) => answers.push(resolve)),
  }
  const own: Partial<Relay> = { takesAuthorizations: false }
  const { relay } = await shareRelay(async () => own as Relay, follower as Sharing)
  const close = () =>
    relay.close({ sender, openBlock: 7, balance: 5n, signature: `0x${'11'.repeat(65)}` } as never)
  const waiting = Array.from({ length: 16 }, close)
  await t.throwsAsync(close(), { code: 'relay_busy' })
  t.is(answers.length, 16)
  answers[0]?.('0xdone')
  t.is(await waiting[0], '0xdone' as never)
  const next = close()
  t.is(answers.length, 17)
  for (const answer of answers) answer('0xdone')
  t.is(await next, '0xdone' as never)
})
