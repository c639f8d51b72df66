// What one run takes place on: contracts of its own, links, disks and the two programs.
import { appendFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Contract } from 'ethers'
import type { Address } from '../../../protocol/index.ts'
import { deployTestContracts } from '../chains/embedded-chain.ts'
import { freePort } from '../processes/free-port.ts'
import { seededRandom } from '../random/random.ts'
import type { LabDatabase, LabServer } from './database.ts'
import { type Disk, makeDisk } from './disk.ts'
import type { LabChain } from './lab-chain.ts'
import { type Link, startLink } from './link.ts'
import type { AgentOrders, ReceiverOrders } from './orders.ts'
import { type Program, program } from './program.ts'
import type { LinkName, Means, Plan, ProgramName } from './schedule.ts'

export const price = 5n
export const senderTokens = 1_000_000n

export interface Stage {
  readonly contract: Address
  readonly token: Contract
  readonly links: Links
  /** Of the receiver's state, where it is not on its disk. */
  readonly database: LabDatabase | undefined
  readonly disks: Readonly<Record<ProgramName, Disk>>
  readonly programs: Readonly<Record<ProgramName, Program>>
  readonly servedFile: string
  readonly answersFile: string
  readonly clear: () => Promise<void>
}

type Links = Readonly<Partial<Record<LinkName, Link>>> &
  Readonly<Record<Exclude<LinkName, 'receiver-database'>, Link>>

/** What all runs take place on. */
export interface Ground {
  readonly chain: LabChain
  /** Undefined: the receiver's state is in a folder. */
  readonly postgres?: LabServer | undefined
}

/** Accounts 1 and 2 are receiver and sender, with a token that nobody else has used. */
export async function setStage(ground: Ground, plan: Plan, means: Means): Promise<Stage> {
  const { chain } = ground
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  const [receiver, sender] = [chain.account(1), chain.account(2)]
  const transfer = token.getFunction('transfer(address,uint256)')
  await (await transfer(sender.address, senderTokens)).wait()

  const folder = await mkdtemp(join(tmpdir(), 'uraiden-faults-'))
  const random = seededRandom(plan.seed + 1)
  const port = await freePort()
  const links = await startLinks(ground, port, random)
  const disks = {
    agent: await makeDisk(join(folder, 'agent'), means.fullDisk),
    receiver: await makeDisk(join(folder, 'receiver'), means.fullDisk),
  }
  await mkdir(join(folder, 'notes'))
  const [servedFile, answersFile] = [
    join(folder, 'notes', 'served'),
    join(folder, 'notes', 'answers'),
  ]
  for (const file of [servedFile, answersFile]) await appendFile(file, '')
  const database = await ground.postgres?.createDatabase()
  const common = { chainId: `${chain.chainId}`, contract }
  const receiverOrders: ReceiverOrders = {
    ...{ ...common, key: receiver.privateKey, rpcUrl: links['receiver-chain'].url },
    state: disks.receiver.folder,
    port,
    price: `${price}`,
    servedFile,
    seed: plan.seed,
    database: database?.settings(portOf(links['receiver-database'])),
  }
  const agentOrders: AgentOrders = {
    ...{ ...common, key: sender.privateKey, rpcUrl: links['agent-chain'].url },
    state: disks.agent.folder,
    receiverUrl: links['agent-receiver'].url,
    atOnce: plan.atOnce,
    reservation: plan.reservation,
    total: `${plan.total}`,
    mostDeposit: `${plan.mostDeposit}`,
    mostDeposits: `${plan.mostDeposits}`,
    funding: plan.funding,
    clockTrust: plan.clockTrust,
    answersFile,
  }
  const programs = {
    receiver: program('receiver', receiverOrders),
    agent: program('agent', agentOrders),
  }
  return {
    contract,
    token,
    links,
    database,
    disks,
    programs,
    servedFile,
    answersFile,
    clear: async () => {
      await programs.agent.kill()
      await programs.receiver.kill()
      for (const link of Object.values(links)) await link.close()
      for (const disk of Object.values(disks)) await disk.remove()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function startLinks(
  { chain, postgres }: Ground,
  receiverPort: number,
  random: () => number,
): Promise<Links> {
  const node = portOf({ url: chain.rpcUrl })
  return {
    'agent-receiver': await startLink(receiverPort, random),
    'agent-chain': await startLink(node, random),
    'receiver-chain': await startLink(node, random),
    ...(postgres && { 'receiver-database': await startLink(postgres.port, random) }),
  }
}

function portOf(link: Pick<Link, 'url'> | undefined): number {
  return Number(new URL(link?.url ?? '').port)
}
