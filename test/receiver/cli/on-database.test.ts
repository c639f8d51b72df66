// uraiden-receiver start on a database, as a person runs it: two programs, one state.
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { createAgent, createKeySigner } from '../../../agent/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import { sharedPostgres, withPostgres } from '../../support/postgres.ts'
import { givenReceiverFolder, runReceiver, startProgram } from '../../support/receiver-program.ts'
import { until } from '../../support/until.ts'

const onPostgres = withPostgres(test)
const server = sharedPostgres(test)

onPostgres(
  'a channel pays at either of two programs, also after one was killed, and both tell the same sums',
  async (t) => {
    const system = await givenReceiverFolder(t)
    const { folder, contract, chain, senderAccount } = system
    const running = await server()
    const postgres = running.url(await running.createDatabase())
    const configure = (name: string) =>
      writeFile(
        join(folder, `${name}.yaml`),
        JSON.stringify({
          ...{ contract, key: 'key', state: { postgres, folder: name } },
          resources: { '/reading': { price: '5 units', command: 'echo 21.4' } },
        }),
      )
    for (const name of ['one', 'two']) await configure(name)
    const one = await startProgram(t, system, ['-c', 'one.yaml'])
    await mkdir(join(folder, 'two'), { mode: 0o700 })
    await copyFile(join(folder, 'one/request-key'), join(folder, 'two/request-key'))
    const two = await startProgram(t, system, ['-c', 'two.yaml'])
    t.is(two.receiver, one.receiver)

    const agent = await createAgent({
      signer: createKeySigner(fromHex(senderAccount.privateKey)),
      ...{ rpcUrl: chain.rpcUrl, chainId: chain.chainId, contract },
      ...{ store: join(folder, 'agent') },
      ...{ budget: { total: 100n }, deposit: { open: () => 60n }, retryInterval: 30 },
    })
    t.teardown(agent.stop)
    const buy = async ({ url }: { readonly url: string }) => {
      const answer = await agent.get(`${url}/reading`)
      t.deepEqual([answer.status, (await answer.text()).trim()], [200, '21.4'])
    }
    // What others have taken is read now and then.
    const agree = async (balance: string, ...programs: readonly { readonly url: string }[]) => {
      for (const { url } of programs) {
        await until(async () => {
          const channels = await (await fetch(`${url}/api/1/channels`)).json()
          return (channels as { readonly balance: string }[])[0]?.balance === balance
        })
      }
    }
    await buy(one)
    await buy(two)
    await agree('10', one, two)
    const refused = await runReceiver(folder, ['-c', 'one.yaml', 'migrate', '--to', 'back'])
    t.is(refused.code, 7, refused.stderr)
    t.regex(refused.stderr, /Receivers use the state in the database/)

    one.kill('SIGKILL')
    await one.ended
    await buy(two)
    const again = await startProgram(t, system, ['-c', 'one.yaml'])
    await buy(again)
    await agree('20', two, again)
    two.kill('SIGTERM')
    const { code, stderr } = await two.ended
    t.is(code, 0, stderr)
    t.regex(stderr, /^stopped; everything is on disk$/m)
  },
)
