// What the log says of channels and payments.
import test from 'ava'
import type { ChannelEvent } from '../../../platform/chain/index.ts'
import { parseAddress } from '../../../protocol/index.ts'
import { tellChannels } from '../../../receiver/core/telling.ts'
import { readChain } from '../../support/chain-read.ts'
import { givenChannel } from '../../support/channel.ts'

const sender = parseAddress(`0x${'11'.repeat(20)}`)
const channel = { sender, receiver: parseAddress(`0x${'22'.repeat(20)}`), openBlock: 5 }

type What = Parameters<Parameters<typeof tellChannels>[0]['info']>
const noted = () => {
  const lines: [level: string, ...What][] = []
  const at = (level: string) => (facts: object, message: string) =>
    void lines.push([level, facts, message])
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn') } }
}

const times = { settles: (requested: number) => `after block ${requested + 500}` }

const place = { channel, block: 9, contractBlock: 7 }
const events: readonly (readonly [object, object, string])[] = [
  [{ kind: 'created', deposit: 100n }, { deposit: '100' }, 'a channel was opened'],
  [{ kind: 'toppedUp', added: 7n }, { added: '7' }, 'a channel was topped up'],
  [
    { kind: 'closeRequested', balance: 3n },
    { balance: '3', settles: 'after block 507' },
    'its sender asks to close a channel',
  ],
  [
    { kind: 'challenged', balance: 5n },
    { balance: '5' },
    'a close was answered with a higher balance',
  ],
  [{ kind: 'withdrawn', amount: 2n }, { amount: '2' }, 'withdrawn from a channel'],
  [
    { kind: 'settled', balance: 5n, receiverTokens: 3n },
    { balance: '5', receiverTokens: '3' },
    'a channel is settled',
  ],
]

for (const [event, facts, message] of events) {
  test(`told once when it is seen, and once when it is confirmed: ${message}`, (t) => {
    const { lines, log } = noted()
    const all = [{ ...place, ...event }] as unknown as readonly ChannelEvent[]
    const tell = tellChannels(log, { ...times, head: () => 9 })
    const said = { sender, openBlock: 5, ...facts, block: 9 }
    for (let round = 0; round < 3; round++) tell(all, 'seen')
    t.deepEqual(lines, [['info', said, `${message}, not confirmed yet`]])
    tell(all, 'confirmed')
    tell([], 'seen')
    t.deepEqual(lines.slice(1), [['info', said, message]])
    // Of a chain that was reorganised it is news.
    tell(all, 'seen')
    t.is(lines.length, 3)
  })
}

for (const [head, level] of [
  [undefined, 'info'],
  [9 + 256, 'info'],
  [9 + 257, 'debug'],
] as const) {
  test(`of block 9 at head ${head} it is said as ${level}`, (t) => {
    const { lines, log } = noted()
    const event = { ...place, kind: 'created', deposit: 1n } as unknown as ChannelEvent
    tellChannels(log, { ...times, head: () => head })([event], 'confirmed')
    t.deepEqual(
      lines.map(([level]) => level),
      [level],
    )
  })
}

test('a receiver tells what becomes of channels and payments', async (t) => {
  const { lines, log } = noted()
  const { pay, api, channel, transactions, client, token, receiver, sign } = await givenChannel(t, {
    receiver: { log },
  })
  await pay(5n)
  await pay(5n)
  await pay(10n, { 'RDN-Balance-Signature': sign(11n) })
  await transactions.send(client.calls.topUpErc223(token, channel, 10n))
  await readChain(receiver)
  await api(`/channels/${channel.sender}/${channel.openBlock}?balance=5`, { method: 'DELETE' })
  await transactions.send(client.calls.uncooperativeClose(channel, 5n))
  await readChain(receiver)
  const { openBlock } = channel
  const of = (level: string) =>
    lines.filter(([at]) => at === level).map(([, facts, message]) => ({ facts, message }))
  const payment = (balance: string, more: object = {}) => ({
    facts: { sender: channel.sender, openBlock, balance, price: '5', ...more },
  })
  t.like(of('debug'), [
    { ...payment('5'), message: 'paid' },
    { ...payment('5', { code: 'balance_spent' }), message: 'a payment was refused' },
    { ...payment('10', { code: 'invalid_balance_proof' }), message: 'a payment was refused' },
  ])
  t.deepEqual(
    of('info')
      .filter(({ facts }) => 'openBlock' in facts)
      .map(({ message }) => message),
    [
      'a channel was opened',
      'a channel was topped up',
      'agreed to close a channel',
      'its sender asks to close a channel',
    ],
  )
})
