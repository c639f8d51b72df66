// The receiver's files as a package installs them, run by the processor they are for.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { createAgent, createKeySigner } from '../../agent/index.ts'
import { programOf } from '../../deploy/pi/packaging/programs.ts'
import { fromHex } from '../../protocol/index.ts'
import { launch, machineOf } from '../support/packed.ts'
import { givenReceiverFolder, startProgram } from '../support/receiver-program.ts'
import { until } from '../support/until.ts'

for (const machine of programOf('receiver').platforms.map(machineOf)) {
  test(`${machine.name}: sells, checks signatures natively on threads, and keeps its books`, async (t) => {
    const given = await givenReceiverFolder(t)
    const { folder, chain, contract, senderAccount, receiverAccount } = given
    const command = launch(machine, 'uraiden-receiver')
    await writeFile(
      join(folder, 'handler.mjs'),
      "export const price = '5 units'\nexport const handler = () => ({ celsius: 21.4 })\n",
    )
    await writeFile(
      join(folder, 'receiver.yaml'),
      `key: key
contract: '${contract}'
state: state
verifierThreads: 1
resources:
  /reading: { module: handler.mjs }
`,
    )
    const program = await startProgram(t, { ...given, command }, ['--config', 'receiver.yaml'])
    t.is(program.receiver, receiverAccount.address, program.log())
    t.regex(program.log(), /verifier=native threads=1/)

    const agent = await createAgent({
      signer: createKeySigner(fromHex(senderAccount.privateKey)),
      rpcUrl: chain.rpcUrl,
      chainId: chain.chainId,
      contract,
      store: join(folder, 'agent'),
      retryInterval: 20,
      // Its receiver looks at signatures that nobody has bound to a request.
      bound: 'off',
    })
    t.teardown(() => agent.stop())
    for (let reading = 0; reading < 3; reading++) {
      const answer = await agent.get(`${program.url}/reading`)
      t.is(answer.status, 200)
      t.is(answer.text(), '{"celsius":21.4}')
    }
    const [channel] = agent.channels()

    // Threads start with several at once; forged ones are checked as well as true ones.
    const forged = {
      'RDN-Contract-Address': contract,
      'RDN-Sender-Address': senderAccount.address,
      'RDN-Open-Block': `${channel?.openBlock}`,
      'RDN-Balance': '20',
      'RDN-Balance-Signature': `0x${'11'.repeat(64)}1b`,
    }
    const forge = async () => (await fetch(`${program.url}/reading`, { headers: forged })).status
    await until(async () => {
      const statuses = new Set(await Promise.all(Array.from({ length: 32 }, forge)))
      t.deepEqual([...statuses], [402])
      return /threads check signatures/.test(program.log())
    })
    t.is((await agent.get(`${program.url}/reading`)).status, 200)

    // What a browser gets to pay from, with the script that the package brought.
    const page = await (
      await fetch(`${program.url}/reading`, { headers: { accept: 'text/html' } })
    ).text()
    const script = /src="([^"]+\.js)"/.exec(page)?.[1] ?? 'no script'
    t.is((await fetch(new URL(script, program.url))).status, 200, page)

    program.kill('SIGTERM')
    const { code, stderr } = await program.ended
    t.is(code, 0, stderr)
    t.notRegex(stderr, /thread.*lost|ended before its time/i)

    const books = await startProgram(t, { ...given, command }, ['--config', 'receiver.yaml'])
    const url = `${books.url}/api/1/channels/${senderAccount.address}/${channel?.openBlock}`
    t.like(await (await fetch(url)).json(), { balance: '20' })
    t.truthy(await readFile(join(folder, 'state/CURRENT')))
  })
}
