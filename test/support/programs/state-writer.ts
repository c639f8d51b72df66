// Writes what its parent tells it into a state folder, and says how it went.
import { openState } from '../../../platform/state/state.ts'
import { parseAddress, UraidenError } from '../../../protocol/index.ts'

const folder = process.argv[2] ?? ''
const account = parseAddress(`0x${'11'.repeat(20)}`)
const owner = { chainId: 1n, contract: account, account }
const db = await openState({ folder, owner, program: 'agent', format: 1 })

process.on('message', async ([key, value]: readonly [string, string]) => {
  const outcome = await db.batch([{ type: 'put', key, value }], { sync: true }).then(
    () => 'written',
    (error) => (error instanceof UraidenError ? error.code : String(error)),
  )
  process.send?.(outcome)
})
process.send?.('ready')
