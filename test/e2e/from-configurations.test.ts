// A program that opens what the programs of this project are configured with.
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import test from 'ava'
import { createAgentFrom, httpPaywall, receiverApi, startReceiverFrom } from '../../index.ts'
import { writeAgentFiles } from '../support/cli.ts'
import { givenReceiverFolder } from '../support/receiver-program.ts'

async function given(t: Parameters<typeof givenReceiverFolder>[0]) {
  const { folder, chain, contract, senderAccount } = await givenReceiverFolder(t)
  const common = `rpc: ${chain.rpcUrl}\ncontract: '${contract}'\nkey: key\nstate: state\n`
  await writeFile(
    join(folder, 'receiver.yaml'),
    `${common}confirmations: 1\npollInterval: 0.05\nverifierThreads: 1\nresources: {}\n`,
  )
  const own = join(folder, 'agent')
  await mkdir(own)
  const budget = 'budget: { request: 6 units, total: 9 units }\n'
  await writeAgentFiles(own, senderAccount.privateKey, `${common}${budget}`)
  return { folder, contract, agentFile: join(own, 'agent.yaml') }
}

test('a program sells by a receiver.yaml and buys by an agent.yaml, within its budget', async (t) => {
  const { folder, contract, agentFile } = await given(t)
  const receiver = await startReceiverFrom(join(folder, 'receiver.yaml'))
  t.teardown(receiver.stop)
  t.is(receiver.contract, contract)
  const paid = httpPaywall(receiver, { price: '5 units' }, (_, response) => {
    response.end('21.5')
  })
  const api = await receiverApi(receiver)
  const server = createServer((request, response) =>
    api(request, response, () => paid(request, response)),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address?.port}/`

  const refused = await createAgentFrom(agentFile, {
    hooks: { beforePayment: () => ({ refuse: 'not today' }) },
  })
  await t.throwsAsync(refused.get(url), { code: 'stopped_by_hook', message: /not today/ })
  await refused.stop()

  const agent = await createAgentFrom(agentFile)
  t.teardown(agent.stop)
  t.is((await agent.get(url)).text(), '21.5')
  await t.throwsAsync(agent.get(url), { code: 'budget_total_spent' })
  await t.throwsAsync(createAgentFrom(agentFile), { code: 'state_in_use' })
})

test('of several contracts the program is needed', async (t) => {
  const { folder, contract } = await given(t)
  const file = join(folder, 'several.yaml')
  const other = `0x${'11'.repeat(20)}`
  await writeFile(
    file,
    `contracts: ['${contract}', '${other}']\nkey: key\nstate: state\nresources: {}\n`,
  )
  await t.throwsAsync(startReceiverFrom(file), { code: 'former_contracts_unserved' })
})
