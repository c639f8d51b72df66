// The management of channels on several contracts, as one.
import test from 'ava'
import type { ChannelManagement } from '../../agent/channels/management.ts'
import { type ChannelName, channelName } from '../../agent/channels/records.ts'
import type { OnContract } from '../../agent/on-contract.ts'
import { manageAll } from '../../agent/several.ts'
import { newChannel, receiver } from '../support/ledger.ts'

const names = [7, 8].map((block) => channelName(receiver, block)) as [ChannelName, ChannelName]

function on(management: Partial<ChannelManagement>): OnContract {
  return { management } as unknown as OnContract
}

function managed(...all: readonly [OnContract, ...OnContract[]]) {
  const entries = [7, 8].map((openBlock) => ({ ...newChannel(5n), openBlock }))
  const ledger = { channels: () => entries } as unknown as Parameters<typeof manageAll>[2]['ledger']
  const ofChannel = (name: ChannelName) => all[names.indexOf(name)]
  return manageAll(all[0], all, { ledger, ofChannel })
}

test('what fails on one contract keeps no channel of another one from its end', async (t) => {
  const asked: string[] = []
  const failing = async () => {
    asked.push('newest')
    throw new Error('the newest is away')
  }
  const working = async () => {
    asked.push('former')
    return [names[1]]
  }
  const { settle, recoverChannels } = managed(
    on({ settle: failing, recoverChannels: failing }),
    on({ settle: working, recoverChannels: working }),
  )
  await t.throwsAsync(settle(), { message: 'the newest is away' })
  t.deepEqual(asked.splice(0), ['newest', 'former'])
  await t.throwsAsync(recoverChannels(), { message: 'the newest is away' })
  t.deepEqual(asked, ['newest', 'former'])
})

test('what ended on each contract is told together, and a channel is closed where it is', async (t) => {
  const closed: string[] = []
  const part = (index: 0 | 1) =>
    on({
      settle: async () => [names[index]],
      closeChannel: async (name) => {
        closed.push(`${index} ${name}`)
        return '0x00'
      },
    })
  const { settle, closeChannel } = managed(part(0), part(1))
  t.deepEqual(await settle(), names)
  for (const name of names) await closeChannel(name, {})
  t.deepEqual(closed, [`0 ${names[0]}`, `1 ${names[1]}`])
})
