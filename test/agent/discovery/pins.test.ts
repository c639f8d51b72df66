// A receiver that is configured by its announced name alone: the first one is remembered.
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { FoundReceiver } from '../../../agent/discovery/browse.ts'
import { createPins, pinOf } from '../../../agent/discovery/pins.ts'
import { createReceivers } from '../../../agent/program/configuration/receivers.ts'
import { parseAddress } from '../../../protocol/index.ts'
import { temporaryFolder } from '../../support/folder.ts'
import {
  agentWithChannel,
  asks,
  lyingReceiver,
  serves,
  terms,
} from '../../support/lying-receiver.ts'

const contract = parseAddress('0x74434527b8e6c8296506d61d0faf3d18c9e4649a')
const first = parseAddress('0x9d80d905bc1e106d5bd0637c12b893c5ab60cb41')
const second = parseAddress('0x70997970C51812dc3A010C7d01b50e0d17dc79C8')

const announces = (receiver: typeof first, port: number, more: object = {}): FoundReceiver => ({
  name: 'Living-Room',
  url: new URL(`http://127.0.0.1:${port}`),
  announcement: { path: '/api/1', receiver, contract, chainId: 1n, tls: false, ...more },
})

async function network(t: ExecutionContext) {
  const folder = await temporaryFolder(t)
  const pins = createPins(folder)
  let there: readonly FoundReceiver[] = []
  const start = () =>
    createReceivers({
      config: { contract, receivers: { room: { url: 'dns-sd://living-room' } } },
      browse: async () => there,
      pins: createPins(folder),
    })
  return {
    file: join(folder, 'receivers.json'),
    pins,
    start,
    nowThere: (...found: readonly FoundReceiver[]) => {
      there = found
    },
  }
}

test('the first one that is found is remembered over a restart, and follows its address', async (t) => {
  const { pins, start, nowThere, file } = await network(t)
  await t.throwsAsync(start().resolve('room/x'), { code: 'receiver_not_found' })
  t.is(pinOf(pins, 'living-room'), undefined)
  nowThere(announces(first, 1))
  const receivers = start()
  t.is((await receivers.resolve('room/x')).href, 'http://127.0.0.1:1/x')
  t.is(receivers.receiverAt(new URL('http://127.0.0.1:1/y')), first)
  t.is(receivers.receiverAt(new URL('http://127.0.0.1:2/y')), undefined)
  t.is((await stat(file)).mode & 0o777, 0o600)
  // It moved, and somebody else says the same name.
  nowThere(announces(second, 1), announces(first, 2))
  const later = start()
  t.is(later.receiverAt(new URL('http://127.0.0.1:1/y')), first)
  t.is((await later.resolve('room/x')).port, '2')
  t.is(later.receiverAt(new URL('http://127.0.0.1:2/y')), first)
  t.is(later.receiverAt(new URL('http://127.0.0.1:1/y')), undefined)
  // To close a channel with it.
  t.is((await later.placeOf(first))?.href, 'http://127.0.0.1:2/')
  t.is(await later.placeOf(second), undefined)
})

test('another address under the same name is refused, and the remedy is named', async (t) => {
  const { pins, start, nowThere } = await network(t)
  nowThere(announces(first, 1))
  await start().resolve('room')
  nowThere(announces(second, 1))
  const refused = await t.throwsAsync<Error & { readonly hint: string }>(start().resolve('room'), {
    code: 'receiver_changed',
  })
  t.true(refused?.message.includes(first) && refused.message.includes(second))
  t.regex(refused?.hint ?? '', /uraiden-agent accept "living-room"/)
  t.is(pinOf(pins, 'LIVING-ROOM')?.receiver, first)
})

test('when several announce the name at the first time, none is believed', async (t) => {
  const { pins, start, nowThere } = await network(t)
  nowThere(announces(first, 1), announces(second, 2))
  await t.throwsAsync(start().resolve('room'), { code: 'receiver_ambiguous' })
  t.is(pinOf(pins, 'living-room'), undefined)
  // One with another contract is none of ours.
  nowThere(announces(first, 1, { contract: second }), announces(second, 2))
  t.is((await start().resolve('room')).port, '2')
})

test('a file that cannot be read stops the payments and is not written over', async (t) => {
  const { start, nowThere, file } = await network(t)
  nowThere(announces(first, 1))
  await writeFile(file, '{"living-room":')
  await t.throwsAsync(start().resolve('room'), { code: 'state_unreadable' })
  t.throws(() => start().receiverAt(new URL('http://127.0.0.1:1')), { code: 'state_unreadable' })
  t.is(await readFile(file, 'utf8'), '{"living-room":')
})

test('who was found there is paid without a list, and beside a list of others', async (t) => {
  const receiver = await lyingReceiver(t, ({ payment }) => (payment ? serves() : asks()))
  const agent = await agentWithChannel(t, {
    receivers: [second],
    receiverAt: () => terms.receiver,
  })
  t.is((await agent.get(receiver.url)).status, 200)
  const strict = await agentWithChannel(t, { receivers: [second] })
  await t.throwsAsync(strict.get(receiver.url), { code: 'receiver_not_allowed' })
})
