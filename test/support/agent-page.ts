// A daemon with its page, as a process, that buys from a receiver with things of several types.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { writeAgentFiles } from './cli.ts'
import { startDaemonProcess } from './daemon.ts'
import { temporaryFolder } from './folder.ts'
import { startShop } from './page-shop.ts'
import { until } from './until.ts'

export const pageToken = 'a-token-long-enough'

/** `job` in the configuration; it runs when it is told to. */
function job(folder: string, name: string, path: string): string {
  return `  ${name}:
    get: living-room${path}
    every: '0 0 1 1 *'
    retry: { times: 0 }
    budget: { day: 0.02 TKN }
    sinks: [ { file: ${join(folder, `${name}.jsonl`)} } ]
`
}

const budget = `budget: { request: 0.01 TKN, hour: 0.05 TKN, day: 0.2 TKN, total: 5 TKN }
`

/** `more` stands in the configuration too. */
export async function startAgentPage(t: ExecutionContext, more = budget) {
  const shop = await startShop(t, { transactionPoll: 20 })
  const { chain, contract, base, receiverAccount, senderAccount } = shop
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'page-token'), `${pageToken}\n`, { mode: 0o600 })
  const configure = (text: string, port = 0) =>
    writeAgentFiles(
      folder,
      senderAccount.privateKey,
      `rpc: ${chain.rpcUrl}
contract: ${contract}
key: key
state: state
page: { listen: '127.0.0.1:${port}', token: page-token }
receivers:
  living-room: { url: '${base}', address: ${receiverAccount.address} }
${text}`,
    )
  const jobs = `jobs:\n${job(folder, 'temperature', '/reading')}${job(folder, 'camera', '/fails')}`
  await configure(more + jobs)
  const daemon = await startDaemonProcess(t, folder)
  const { port, key } = await until(async () => (await daemon.status())?.page, daemon.log)
  return {
    ...shop,
    folder,
    daemon,
    port,
    page: `http://127.0.0.1:${port}/#key=${key}`,
    configure: (text: string) => configure(text, port),
    restartDaemon: async () => {
      daemon.child.kill('SIGTERM')
      await daemon.ended
      await configure(more + jobs, port)
      return () => startDaemonProcess(t, folder)
    },
  }
}
