// What the playground consists of: a chain in this process, two receivers, a stand-in for a wiki and an agent as
// programs of their own. None of them outlives this process.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connectToDaemon } from '../../../agent/program/control/client.ts'
import type { DaemonStatus } from '../../../agent/program/control/status.ts'
import type { Address } from '../../../protocol/index.ts'
import { hashSecret } from '../../../receiver/server/admin/secrets.ts'
import type { FundedAccount } from '../../../test/lab/chains/test-accounts.ts'
import { freePort } from '../../../test/lab/processes/free-port.ts'
import { type FundedChain, startFundedChain } from '../chain/test-chain.ts'
import { type Child, spawnChild, startChild, startProgram } from '../examples/child.ts'
import { examplesFolder } from '../examples/start.ts'
import { toolError } from '../shared/errors.ts'
import { createStarted, type Started } from '../shared/script.ts'
import { agentYaml, login, receiverYaml, sensorGoods, wikiGoods } from './configuration.ts'

const program = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url))
const receiverProgram = program('receiver/cli/main.ts')
const agentProgram = program('agent/cli/main.ts')

export const placesInARow = [
  ...['chain', 'sensors', 'sensorsAdmin', 'wiki', 'wikiAdmin', 'page', 'proxy'],
] as const

export type Ports = Readonly<Record<(typeof placesInARow)[number], number>>

export interface ShopFacts {
  readonly url: string
  readonly receiver: Address
  readonly dashboard: string
}

export interface PlaygroundFacts {
  readonly chain: {
    readonly rpcUrl: string
    readonly chainId: number
    readonly contract: Address
    readonly token: Address
  }
  readonly sensors: ShopFacts
  readonly wiki: ShopFacts
  readonly agent: {
    /** With the key that lets one look. */
    readonly page: string
    readonly proxy: string
    /** Its `agent.yaml`. */
    readonly config: string
    /** For commands. */
    readonly socket: string
  }
  /** Of the dashboards; `token` is that of the agent's page. */
  readonly login: typeof login
  /** Of a person who pays in a browser. */
  readonly wallet: FundedAccount
  /** Everything that is written is in it; gone at the end. */
  readonly folder: string
}

export interface Playground {
  readonly facts: PlaygroundFacts
  /** Resolves with the name of the first program that ended by itself. */
  readonly broken: Promise<string>
  readonly stop: () => Promise<void>
}

/** From `first` on, one after the other; free ones without it. */
export async function portsFrom(first: number | undefined): Promise<Ports> {
  const found = await Promise.all(
    placesInARow.map(async (place, index) => {
      return [place, first === undefined ? await freePort() : first + index] as const
    }),
  )
  return Object.fromEntries(found) as Ports
}

/**
 * Nothing is left of it when it fails.
 * @throws UraidenError `port_in_use`, `program_ended`
 */
export async function startPlayground(ports: Ports, signal: AbortSignal): Promise<Playground> {
  const started = createStarted()
  try {
    return await new Building(ports, signal, started).build()
  } catch (error) {
    await started.stop()
    throw error
  }
}

class Building {
  readonly #ports: Ports
  readonly #signal: AbortSignal
  readonly #started: Started
  #tellBroken: (name: string) => void = () => undefined
  readonly #broken = new Promise<string>((resolve) => {
    this.#tellBroken = resolve
  })

  constructor(ports: Ports, signal: AbortSignal, started: Started) {
    this.#ports = ports
    this.#signal = signal
    this.#started = started
  }

  async build(): Promise<Playground> {
    const folder = await mkdtemp(join(tmpdir(), 'uraiden-playground-'))
    this.#started.add(() => rm(folder, { recursive: true, force: true }))
    const funded = await startFundedChain({
      port: this.#ports.chain,
      challengePeriod: 500,
      chainId: 31337,
    })
    this.#started.add(() => funded.chain.close())
    this.#signal.throwIfAborted()
    const standIn = await this.#own(
      'the wiki’s stand-in',
      startChild(join(examplesFolder, 'wiki/stand-in.js'), ['0'], this.#options()),
    )
    const hash = await hashSecret(login.password)
    const shop = (name: 'sensors' | 'wiki', account: number, goods: string) =>
      this.#shop(join(folder, name), funded, { name, account, hash, goods })
    const [sensors, wiki] = await bothOf(
      shop('sensors', 1, sensorGoods()),
      shop('wiki', 2, wikiGoods(standIn.firstLine)),
    )
    const agent = await this.#agent(join(folder, 'agent'), funded, { sensors, wiki })
    const { chain, channelsAddress: contract, tokenAddress: token } = funded
    const facts = {
      chain: { rpcUrl: chain.rpcUrl, chainId: Number(chain.chainId), contract, token },
      ...{ sensors, wiki, agent, login, folder },
      wallet: accountOf(funded, 4),
    }
    return { facts, broken: this.#broken, stop: this.#started.stop }
  }

  async #shop(
    folder: string,
    funded: FundedChain,
    { name, account, hash, goods }: ShopOrder,
  ): Promise<ShopFacts> {
    const ports = this.#ports
    const [port, adminPort] = [ports[name], ports[`${name}Admin`]]
    const { address, privateKey } = accountOf(funded, account)
    await mkdir(folder)
    await writeFile(join(folder, 'key'), privateKey, { mode: 0o600 })
    const config = join(folder, 'receiver.yaml')
    const text = receiverYaml({
      chain: placeOf(funded),
      ...{ folder, port, adminPort, hash, goods },
    })
    await writeFile(config, text, { mode: 0o600 })
    const args = ['--config', config, '--json', 'start']
    await this.#own(`the receiver of ${name}`, startProgram(receiverProgram, args, this.#options()))
    const dashboard = `http://127.0.0.1:${adminPort}/admin`
    return { url: `http://127.0.0.1:${port}`, receiver: address, dashboard }
  }

  async #agent(
    folder: string,
    funded: FundedChain,
    { sensors, wiki }: Pick<PlaygroundFacts, 'sensors' | 'wiki'>,
  ): Promise<PlaygroundFacts['agent']> {
    await mkdir(folder)
    await writeFile(join(folder, 'key'), accountOf(funded, 3).privateKey, { mode: 0o600 })
    await writeFile(join(folder, 'page-token'), `${login.token}\n`, { mode: 0o600 })
    const config = join(folder, 'agent.yaml')
    const text = agentYaml({
      chain: placeOf(funded),
      ...{ folder, pagePort: this.#ports.page, proxyPort: this.#ports.proxy },
      sensor: { url: sensors.url, address: sensors.receiver },
      wiki: { url: wiki.url, address: wiki.receiver },
    })
    await writeFile(config, text, { mode: 0o600 })
    const child = spawnChild(agentProgram, ['--config', config, 'run'], this.#options())
    await this.#own('the agent', Promise.resolve(child))
    const socket = join(folder, 'control.sock')
    const status = await this.#answering(socket, child)
    const { page, proxy } = status
    return {
      page: `http://127.0.0.1:${page?.port}/#key=${page?.key}`,
      proxy: `http://127.0.0.1:${proxy?.port}`,
      ...{ config, socket },
    }
  }

  /** Once the agent can pay. @throws UraidenError `program_ended` */
  async #answering(socket: string, { ended }: Pick<Child, 'ended'>): Promise<DaemonStatus> {
    let isOver = false
    void ended.then(() => {
      isOver = true
    })
    for (;;) {
      this.#signal.throwIfAborted()
      if (isOver) throw gone('the agent')
      const daemon = await connectToDaemon(socket)
      const status = await daemon?.command('status', {}).catch(() => undefined)
      if (status?.proxy?.port !== undefined && status.page !== undefined) return status
      await sleep(50)
    }
  }

  /** It is ended with the rest; when it ends before, the rest ends with it. */
  async #own<Program extends Pick<Child, 'stop' | 'ended'>>(
    name: string,
    starting: Promise<Program>,
  ): Promise<Program> {
    const child = await starting
    this.#started.add(child.stop)
    void child.ended.then(() => this.#tellBroken(name))
    this.#signal.throwIfAborted()
    return child
  }

  #options() {
    return { signal: this.#signal }
  }
}

/** Also when one fails the other has come to an end, so that nothing starts behind the back of who ends it all. */
async function bothOf<Value>(
  one: Promise<Value>,
  other: Promise<Value>,
): Promise<readonly [Value, Value]> {
  await Promise.allSettled([one, other])
  return [await one, await other]
}

interface ShopOrder {
  readonly name: 'sensors' | 'wiki'
  /** Its number on the test chain. */
  readonly account: number
  readonly hash: string
  readonly goods: string
}

function accountOf({ chain }: FundedChain, index: number): FundedAccount {
  const account = chain.accounts[index]
  if (account === undefined) throw new Error('the test chain has too few accounts')
  return account
}

function placeOf({ chain, channelsAddress }: FundedChain) {
  return { rpcUrl: chain.rpcUrl, contract: channelsAddress }
}

/** A program of the playground that ended by itself. */
export function gone(name: string) {
  return toolError({ code: 'program_ended', message: `${capital(name)} has ended by itself.` })
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
