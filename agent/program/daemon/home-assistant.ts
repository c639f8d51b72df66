// The agent as a device of Home Assistant, where the configuration wants it. Loaded only there.
import { wallClock } from '../../jobs/clock.ts'
import { same, type TokenSettings } from '../configuration/settings.ts'
import type { CommandHandlers } from '../control/server.ts'
import type { Device } from '../home-assistant/device.ts'
import type { DeviceCommand, DeviceFacts } from '../home-assistant/entities.ts'
import type { Capability } from './capability.ts'
import type { Journal } from './journal.ts'

export interface HomeAssistantOptions {
  readonly journal: Journal
  /** Undefined while there is no agent. */
  readonly facts: () => Omit<DeviceFacts, 'nameOf'> | undefined
  readonly handlers: () => Pick<CommandHandlers, 'pause' | 'resume' | 'runJob'>
}

type Wanted = Pick<TokenSettings, 'broker' | 'receivers'>

export class HomeAssistant implements Capability<Wanted> {
  readonly #options: HomeAssistantOptions
  #running: { readonly device: Device; readonly broker: Wanted['broker'] } | undefined
  #names = new Map<string, string>()

  constructor(options: HomeAssistantOptions) {
    this.#options = options
  }

  async start({ broker, receivers }: Wanted): Promise<void> {
    this.#names = new Map(
      Object.entries(receivers.receivers).flatMap(([name, { address }]) =>
        address === undefined ? [] : [[address, name]],
      ),
    )
    if (this.#running !== undefined && same(this.#running.broker, broker)) return
    await this.stop()
    if (broker?.agent === undefined) return
    const { startDevice } = await import('../home-assistant/device.ts')
    const device = await startDevice({
      settings: broker.agent,
      device: broker.device,
      clock: wallClock,
      facts: () => {
        const facts = this.#options.facts()
        return facts && { ...facts, nameOf: (receiver) => this.#names.get(receiver) }
      },
      onCommand: (command) => this.#do(command),
    })
    this.#running = { device, broker }
  }

  async stop(): Promise<void> {
    const { device } = this.#running ?? {}
    this.#running = undefined
    await device?.stop()
  }

  async #do(command: DeviceCommand): Promise<void> {
    const { journal, handlers } = this.#options
    const { pause, resume, runJob } = handlers()
    journal.log.info(`Home Assistant: ${wordsFor(command)}`)
    try {
      if (command.name === 'runJob') await runJob({ job: command.job })
      else await (command.name === 'pause' ? pause : resume)({ job: undefined })
    } catch (error) {
      journal.warn(`home assistant ${command.name}`, `${wordsFor(command)} failed`, error)
    }
  }
}

function wordsFor(command: DeviceCommand): string {
  return command.name === 'runJob' ? `run ${command.job}` : command.name
}
