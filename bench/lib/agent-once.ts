// One request by a process of its own, as from cron. Says how much CPU the process took in all, in milliseconds.
import { openAgent } from './agent-store.ts'

const [url = '', folder = ''] = process.argv.slice(2)
const agent = await openAgent(folder, { reservation: 16 })
await (await agent.get(url)).json()
await agent.stop()
const { user, system } = process.cpuUsage()
process.send?.((user + system) / 1000, () => process.exit(0))
