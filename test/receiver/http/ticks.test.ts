// Ticks on the wire, whole requests against a receiver on a chain.
import test, { type ExecutionContext } from 'ava'
import { keccak256 } from 'ethers'
import { formatCommitment } from '../../../protocol/index.ts'
import type { ReceiverOptions } from '../../../receiver/index.ts'
import { type Answer, type Asked, boundClient, fieldOf, send } from '../../support/bound-client.ts'
import { givenChannel } from '../../support/channel.ts'
import { commitTicks } from '../../support/ticks.ts'

async function given(t: ExecutionContext, options: Partial<ReceiverOptions> = {}) {
  const system = await givenChannel(t, { receiver: options })
  const client = await boundClient(system.base, system)
  const put = await client.putKey()
  t.true(put.authentic, put.body.toString())
  const key = system.senderAccount.privateKey
  const commit = (given?: Parameters<typeof commitTicks>[2]) =>
    commitTicks(system.channel, { domain: system.domain, key }, given)
  const buy = async (balance: bigint, proof: Asked['proof'], more: Asked = {}) => {
    const answer = await client.ask('/reading', { balance, ...(proof && { proof }), ...more })
    t.true(answer.authentic, answer.body.toString())
    return answer
  }
  return { ...system, client, put, commit, buy }
}

const codeOf = ({ body }: Answer): unknown => JSON.parse(body.toString() || '{}').code
const json = { accept: 'application/json' }

test('ticks are offered in answers that nobody else can have made, and where they are taken only', async (t) => {
  const { put, buy, base, commit } = await given(t)
  t.is(fieldOf(put, 'rdn-features'), 'ticks')
  t.notRegex((await fetch(`${base}/reading`)).headers.get('rdn-features') ?? '', /ticks/)
  t.is(fieldOf(await buy(5n, undefined), 'rdn-features'), 'ticks', 'to a signature')
  t.is(fieldOf(await buy(15n, {}), 'rdn-features'), 'ticks', 'to a refusal')
  t.is(fieldOf(await buy(10n, commit({ base: 5n }).first(1)), 'rdn-features'), undefined)
  const off = await given(t, { ticks: 'off' })
  t.is(fieldOf(off.put, 'rdn-features'), undefined)
  t.is(fieldOf(await off.buy(5n, undefined), 'rdn-features'), undefined)
  const refused = await off.buy(10n, off.commit({ base: 5n }).first(1))
  t.deepEqual([refused.status, fieldOf(refused, 'rdn-tick-unknown')], [402, '1'])
})

test('a tick that is not known comes again with its commitment, and its answer says nothing of proofs', async (t) => {
  const { buy, commit, client } = await given(t)
  const ticks = commit()
  const unknown = await buy(5n, ticks.proof(1), { fields: json })
  t.deepEqual([unknown.status, codeOf(unknown)], [402, 'tick_unknown'])
  t.is(fieldOf(unknown, 'rdn-tick-unknown'), '1')
  t.is(fieldOf(unknown, 'rdn-sender-balance'), '0')
  const paid = await buy(5n, ticks.first(1))
  t.deepEqual([paid.status, fieldOf(paid, 'rdn-sender-balance')], [200, '5'])
  t.is(fieldOf(paid, 'rdn-tick-unknown'), undefined)
  t.is((await buy(10n, ticks.proof(2))).status, 200)
  const again = await client.putKey()
  t.is(fieldOf(again, 'rdn-sender-balance'), '10')
  t.is(fieldOf(again, 'rdn-balance-signature')?.length, 322, 'shown as the contract takes it')
  t.is((await client.close(10n)).status, 200)
})

test('a wrong tick that was put in on the way is not the sender’s: the commitment stays', async (t) => {
  const { buy, commit, client, base } = await given(t)
  const ticks = commit()
  t.is((await buy(5n, ticks.first(1))).status, 200)
  const { sent } = client.make('/reading', { balance: 10n, proof: ticks.proof(2) })
  const swap = (name: string, value: string) => ({
    ...sent,
    fields: sent.fields.map(([each, text]) => [each, each === name ? value : text] as const),
  })
  t.is((await send(base, swap('RDN-Tick', keccak256('0x02')))).status, 401)
  const stripped = { ...sent, fields: sent.fields.filter(([name]) => name !== 'RDN-Tick') }
  t.is((await send(base, stripped)).status, 401)
  t.is((await send(base, sent)).status, 200)
})

test('credit below what is proven needs the MAC and nothing else', async (t) => {
  const { buy, commit, client, base } = await given(t)
  t.is((await buy(20n, commit().first(4))).status, 200)
  t.is((await buy(10n, {})).status, 200)
  const other = client.make('/reading', { balance: 15n, proof: {} }).sent
  const fields = other.fields.map(
    ([name, value]) => [name, name === 'RDN-Balance' ? '5' : value] as const,
  )
  t.is((await send(base, { ...other, fields })).status, 401)
  t.is((await buy(10n, {}, { fields: { 'Idempotency-Key': 'x' } })).status, 402, 'claimed')
  const above = await buy(25n, {}, { fields: json })
  t.deepEqual([above.status, codeOf(above)], [402, 'payment_required'])
  t.is((await send(base, other)).status, 200)
})

const words = (text: string) => text.split(' ')

for (const [what, change] of [
  ['a step of 0', ([base, , ...rest]: string[]) => [base, '0', ...rest]],
  ['no ticks', ([base, step, , ...rest]: string[]) => [base, step, '0', ...rest]],
  ['257 ticks', ([base, step, , ...rest]: string[]) => [base, step, '257', ...rest]],
  ['its end at 2^192', ([, , ...rest]: string[]) => [`${2n ** 192n - 16n}`, '1', ...rest]],
  ['leading zeros', ([base, ...rest]: string[]) => [`0${base}`, ...rest]],
  ['four fields', (all: string[]) => all.slice(0, 4)],
  ['six fields', (all: string[]) => [...all, '1']],
] as const) {
  test(`a commitment with ${what} is malformed`, async (t) => {
    const { client, commit, receiver } = await given(t)
    const ticks = commit()
    const text = change(words(formatCommitment(ticks.commitment))).join(' ')
    const answer = await client.ask('/reading', {
      ...{ balance: 5n, proof: ticks.proof(1) },
      fields: { ...json, 'RDN-Tick-Commitment': text },
    })
    t.deepEqual([answer.status, codeOf(answer)], [409, 'malformed_payment'], answer.body.toString())
    t.is(receiver.book.unsettled(), 0n)
  })
}

test('ticks that no signature of the request covers pay nothing', async (t) => {
  const { client, commit, base, headers, receiver } = await given(t)
  const ticks = commit()
  const line = ['RDN-Tick', ticks.word(1)] as const
  const commitment = ['RDN-Tick-Commitment', formatCommitment(ticks.commitment)] as const
  const bare = client.make('/reading', { balance: 5n, proof: {} }).sent
  const uncovered = { ...bare, fields: [...bare.fields, line, commitment] }
  t.not((await send(base, uncovered)).status, 200, 'uncovered')
  const whole = client.make('/reading', { balance: 5n, proof: ticks.first(1) }).sent
  const twice = { ...whole, fields: [...whole.fields, line] }
  t.not((await send(base, twice)).status, 200, 'repeated')
  const tabs = whole.fields.map(
    ([name, value]) =>
      [name, name === commitment[0] ? value.replaceAll(' ', '\t') : value] as const,
  )
  t.not((await send(base, { ...whole, fields: tabs })).status, 200, 'tabs')
  const cookie = ['Cookie', `RDN-Tick=${ticks.word(1)}`] as const
  t.not((await send(base, { ...bare, fields: [...bare.fields, cookie] })).status, 200, 'a cookie')
  const { 'RDN-Balance-Signature': _, ...unsigned } = headers(5n)
  const unbound = { ...unsigned, [line[0]]: line[1], [commitment[0]]: commitment[1] }
  t.is((await fetch(`${base}/reading`, { headers: unbound })).status, 402, 'unbound')
  t.is(receiver.book.unsettled(), 0n)
  t.is((await send(base, whole)).status, 200)
})
