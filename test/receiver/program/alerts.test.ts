// What the program tells its owner of its receivers, and of itself while there are none.
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text as read } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { pino } from 'pino'
import { parseConfig } from '../../../platform/config/index.ts'
import { parseAddress } from '../../../protocol/index.ts'
import type { Receiver } from '../../../receiver/index.ts'
import { alertOwner } from '../../../receiver/program/alerts.ts'
import { receiverConfig } from '../../../receiver/program/config.ts'
import { receiverSettings } from '../../../receiver/program/settings.ts'
import { temporaryFolder } from '../../support/folder.ts'

const account = parseAddress('0x5fbdb2315678afecb367f032d93f642f64180aa3')

async function given(t: ExecutionContext) {
  const told: { readonly alert: string; readonly state: string; readonly text: string }[] = []
  const server = createServer(async (request, response) => {
    told.push(JSON.parse(await read(request)))
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as { readonly port: number }
  const text = `contract: '${account}'
key: /key
state: ${join(await temporaryFolder(t))}
buyers: { kitchen: '${account}' }
alerts: { sinks: [{ webhook: 'http://127.0.0.1:${port}/' }] }
`
  const config = parseConfig(text, { file: 'receiver.yaml', schema: receiverConfig })
  const settings = receiverSettings(config)
  const { alerts } = settings
  if (alerts === undefined) throw new Error('no alerts')
  const receivers: Receiver[] = []
  const log = pino({ level: 'silent' })
  const signer = { address: account }
  // At once, however quick the start is.
  const rules = { ...alerts, node: 0 }
  const alerting = await alertOwner({ alerts: rules, settings, signer, log }, () => receivers)
  t.teardown(alerting.stop)
  return { ...alerting, told, receivers }
}

test('a node that keeps the receiver from starting is told, then what it finds, by its names', async (t) => {
  const { look, told, receivers } = await given(t)
  await look()
  const close = {
    ...{ sender: account, openBlock: 7, stake: 5n, remaining: 9, settleBlock: 99 },
    ...{ plan: 'answer', state: undefined },
  }
  receivers.push({
    contract: account,
    token: { symbol: 'TKN', decimals: 0 },
    health: {
      chain: () => ({ answers: true, age: 1, head: 1, ether: 10n ** 18n }),
      disk: async () => ({ kind: 'unwritable', why: 'EIO' }),
    },
    settlement: { status: () => ({ answers: [close], reserve: { needed: 1n } }) },
    watchtowers: () => [],
  } as unknown as Receiver)
  await look()
  t.deepEqual(
    told.map(({ alert, state }) => [alert, state]),
    [
      ['node_unreachable', 'raised'],
      ['node_unreachable', 'over'],
      ['close_disputed', 'raised'],
      ['state_unwritable', 'raised'],
    ],
  )
  t.regex(told[2]?.text ?? '', /^kitchen asks to close the channel of block 7 for 5 TKN less/)
})
