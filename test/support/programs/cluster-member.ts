// One of several processes that share a state, for tests that stop, kill and cut off. It says each thing that it does
// on a line; a line on its input tells it to do one more.
import { createInterface } from 'node:readline'
import { addressOfKey, fromHex, isUraidenError } from '../../../protocol/index.ts'
import { type Cluster, joinCluster } from '../../../receiver/cluster/cluster.ts'
import type { Term } from '../../../receiver/cluster/election.ts'
import { createSharedJournal } from '../../../receiver/cluster/shared-journal.ts'
import { connectDatabase } from '../../../receiver/postgres/connection.ts'
import { parsePostgresUrl } from '../../../receiver/postgres/settings.ts'

const [url = '', name = ''] = process.argv.slice(2)
const account = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))

const say = (line: string) => void process.stdout.write(`${line}\n`)
const codeOf = (error: unknown) => (isUraidenError(error) ? error.code : String(error))

const database = await connectDatabase({ ...parsePostgresUrl(url), tls: {} })
/** The newest, also when it is over: as code that does not look. */
let term: Term | undefined
const cluster: Cluster = await joinCluster({
  ...{ database, name },
  onElected: (elected) => {
    term = elected
    say(`elected ${elected.epoch}`)
    elected.over.addEventListener('abort', () => say(`over ${elected.epoch}`))
  },
  onError: (error) => say(`error ${codeOf(error)}`),
})
const journal = createSharedJournal({ database, term: () => term, account })
say(`joined ${cluster.membership().id}`)

let release: () => void = () => undefined
const commands: { readonly [command: string]: () => Promise<unknown> } = {
  write: async () => term?.write(({ query }) => query('INSERT INTO note VALUES ($1, $1)', [name])),
  // Stays in the middle of a transaction until it is told to go on, as one that is stopped there.
  hold: async () =>
    term?.write(async ({ query }) => {
      await query('INSERT INTO note VALUES ($1, $1)', [`held by ${name}`])
      const released = new Promise<void>((resolve) => {
        release = resolve
      })
      say('holding')
      await released
      await query('SELECT 1')
    }),
  release: async () => release(),
  sign: async () => {
    const nonce = (await journal.firstFree?.()) ?? 0
    const transactions = [{ hash: '0x00', serialized: `0x${'ab'.repeat(8)}` } as const]
    await journal.put(`of ${name}`, { nonce, transactions })
  },
  members: async () => say(`member ${cluster.membership().epoch} heard ${cluster.isHeard()}`),
  leave: async () => {
    await cluster.leave()
    await database.close()
    process.exit()
  },
}

createInterface({ input: process.stdin }).on('line', (command) => {
  commands[command]?.().then(
    () => say(`done ${command}`),
    (error) => say(`failed ${command} ${codeOf(error)}`),
  )
})
