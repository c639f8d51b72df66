// Whoever puts keys without end makes the receiver recover no more signatures than it is told to.
import test from 'ava'
import { boundClient } from '../../../support/bound-client.ts'
import { givenChannel } from '../../../support/channel.ts'

test('so many new keys are checked in a minute, and the one that is there goes on', async (t) => {
  const limits = { requestKeys: { most: 3 } }
  const system = await givenChannel(t, { server: { limits } })
  const { base, channel, receiverAccount } = system
  const client = await boundClient(base, system)
  t.is((await client.putKey()).status, 200)
  const number = BigInt(channel.openBlock) + 1n
  const thief = await boundClient(base, system, { key: receiverAccount.privateKey, number })
  const put = async () => {
    const answer = await thief.putKey()
    return [answer.status, JSON.parse(answer.body.toString()).code]
  }
  t.deepEqual(await put(), [400, 'request_key_invalid'])
  t.deepEqual(await put(), [400, 'request_key_invalid'])
  for (let index = 0; index < 5; index++) {
    t.deepEqual(await put(), [429, 'too_many_request_keys'])
  }
  // The same key again costs no recovery, and neither does an older one.
  t.is((await client.putKey()).status, 200)
  const older = await boundClient(base, system, { number: 0n })
  t.is((await older.putKey()).status, 409)
  t.is((await client.ask('/reading', { balance: 5n })).status, 200)
})
