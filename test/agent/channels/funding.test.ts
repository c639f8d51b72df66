// How long a deposit may stay unseen: in blocks, of which the chain is asked now and then.
import test from 'ava'
import { createFunding } from '../../../agent/channels/funding.ts'
import { platformError } from '../../../platform/errors/index.ts'
import { channel, ledgerOn, newChannel } from '../../support/ledger.ts'

async function given(head: () => number) {
  const ledger = await ledgerOn()
  await ledger.add({ ...newChannel(100n), unseen: [{ before: 0n, block: 7 }] })
  let asked = 0
  const client = {
    head: async () => {
      asked++
      return { number: head(), contractBlock: head() }
    },
  }
  const chain = async () => ({ client }) as never
  const funding = createFunding({ ledger, chain } as never)
  return { funding, asked: () => asked }
}

for (const [head, left] of [
  [7, 1],
  [7 + 255, 1],
  [7 + 256, 0],
] as const) {
  test(`${head - 7} blocks after the opening: ${left === 1 ? 'unseen' : 'had its time'}`, async (t) => {
    const { funding } = await given(() => head)
    t.is((await funding.withUnseen(channel)).unseen?.length ?? 0, left)
  })
}

test('a receiver that lets us wait makes us ask the chain once, not with each try', async (t) => {
  const { funding, asked } = await given(() => 8)
  for (let tries = 0; tries < 20; tries++) await funding.withUnseen(channel)
  t.is(asked(), 1)
})

test('while the chain is away the receiver may not see it either', async (t) => {
  const { funding } = await given(() => {
    throw platformError({ code: 'chain_unavailable', message: 'It is away.', hint: '' })
  })
  t.is((await funding.withUnseen(channel)).unseen?.length, 1)
})
