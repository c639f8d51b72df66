// Contract and start block by the record of the chain that a configuration names.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { loadAgentConfig } from '../../../agent/program/configuration/config.ts'
import { parseAddress } from '../../../protocol/index.ts'
import { loadReceiverConfig } from '../../../receiver/program/config.ts'
import { loadWatchConfig } from '../../../receiver/program/watchtower/config.ts'
import { temporaryFolder } from '../../support/folder.ts'

const contract = parseAddress(`0x${'33'.repeat(20)}`)
const other = parseAddress(`0x${'44'.repeat(20)}`)
const record = { chainId: 77, contract, startBlock: 1234, token: other }

async function given(t: ExecutionContext, text: string, recorded: unknown = record) {
  const folder = await temporaryFolder(t)
  const written = typeof recorded === 'string' ? recorded : JSON.stringify(recorded)
  await writeFile(join(folder, '77.json'), written)
  const file = join(folder, 'program.yaml')
  await writeFile(file, `key: key.hex\n${text}`)
  const environment = { URAIDEN_DEPLOYMENTS: folder }
  const rpc = 'URAIDEN_AGENT_RPC'
  return {
    agent: () => loadAgentConfig(file, { ...environment, [rpc]: 'http://127.0.0.1:1' }),
    receiver: () => loadReceiverConfig({ file, environment }),
    watchtower: () => loadWatchConfig({ file, environment }),
  }
}

const both = ['agent', 'receiver'] as const

for (const [title, text, expected] of [
  ['neither is said', 'chainId: 77', { contract, startBlock: 1234 }],
  ['the start block is said', 'chainId: 77\nstartBlock: 9', { contract, startBlock: 9 }],
  ['its own contract is said', `chainId: 77\ncontract: '${contract}'`, { startBlock: 1234 }],
  [
    'another contract is said',
    `chainId: 77\ncontract: '${other}'`,
    { contract: other, startBlock: undefined },
  ],
  [
    'the chain is not said',
    `contract: '${contract}'`,
    { contract, startBlock: undefined, chainId: undefined },
  ],
] as const) {
  for (const program of both) {
    test(`${program}: a record, and ${title}`, async (t) => {
      t.like(await (await given(t, text))[program](), expected)
    })
  }
}

test('watchtower: a record, and neither is said', async (t) => {
  const { watchtower } = await given(t, `chainId: 77\nreceiver: '${other}'\ntoken: token`)
  t.like(await watchtower(), { contract, startBlock: 1234 })
})

for (const [title, text, recorded, code] of [
  ['no chain and no contract', 'confirmations: 1', record, 'config_invalid'],
  ['a chain without a record', 'chainId: 78', record, 'config_invalid'],
  ['a record that is no JSON', 'chainId: 77', '{', 'deployment_invalid'],
  ['the record of another chain', 'chainId: 77', { ...record, chainId: 1 }, 'deployment_invalid'],
  ['an address that is none', 'chainId: 77', { ...record, contract: '0x12' }, 'deployment_invalid'],
] as const) {
  for (const program of both) {
    test(`${program}: ${title}`, async (t) => {
      await t.throwsAsync((await given(t, text, recorded))[program](), { code })
    })
  }
}
