// The agent itself in Home Assistant: what it announces, what it says, and the topics on which buttons are pressed.
// Pure functions. https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery, and there sensor.mqtt,
// binary_sensor.mqtt and button.mqtt
import {
  type Address,
  formatNumber,
  type TokenAmount,
  type TokenUnit,
} from '../../../protocol/index.ts'
import type { BudgetLimit, BudgetScope } from '../../budget/caps.ts'
import { assetOf, left } from '../../budget/caps.ts'
import {
  aboutDevice,
  available,
  type HomeAssistantDevice,
  objectId,
  unavailable,
} from '../../jobs/sinks/home-assistant.ts'
import type { DaemonStatus } from '../control/status.ts'

export interface DeviceFacts {
  readonly status: Pick<DaemonStatus, 'token' | 'budget' | 'jobs' | 'waiting' | 'paused'>
  /** What the account has; ether in wei, null where it is not known. */
  readonly account: { readonly tokens: string | null; readonly ether: string | null }
  readonly spentToday: TokenAmount
  readonly nameOf: (receiver: Address) => string | undefined
}

export interface DeviceTopics {
  readonly device: HomeAssistantDevice
  /** Before those of state and commands. */
  readonly base: string
  readonly buttons: boolean
}

export type DeviceCommand =
  | { readonly name: 'pause' | 'resume' }
  | { readonly name: 'runJob'; readonly job: string }

export interface DeviceView {
  /** Payloads by topic; to be retained. */
  readonly announcements: ReadonlyMap<string, string>
  readonly state: { readonly topic: string; readonly payload: string }
  /** By the exact topic. */
  readonly commands: ReadonlyMap<string, DeviceCommand>
}

/** What a button sends, and nothing else is taken. */
export const pressed = 'PRESS'

interface Entity {
  readonly component: 'sensor' | 'binary_sensor' | 'button'
  /** Unique in the device; letters, digits, _ and - only. */
  readonly id: string
  readonly config: object
  /** Undefined of a button. */
  readonly value?: string | null
  readonly command?: DeviceCommand
}

/** All topics of announcements of this agent, also of those that it made before. */
export function announcementTopics({ device }: Pick<DeviceTopics, 'device'>): {
  readonly wildcard: string
  readonly isOne: (topic: string) => boolean
} {
  const node = nodeOf(device)
  const start = `${device.prefix}/`
  return {
    wildcard: `${device.prefix}/+/${node}/+/config`,
    isOne: (topic) => {
      const [component = '', middle, id = '', end, ...more] = topic.slice(start.length).split('/')
      return (
        topic.startsWith(start) &&
        middle === node &&
        end === 'config' &&
        more.length === 0 &&
        /^[a-z_]+$/.test(component) &&
        /^[a-zA-Z0-9_-]+$/.test(id)
      )
    },
  }
}

export function commandWildcard({ base }: Pick<DeviceTopics, 'base'>): string {
  return `${base}/command/#`
}

/** Undefined until the chain and the ledger have said what there is to tell. */
export function deviceView(topics: DeviceTopics, facts: DeviceFacts): DeviceView | undefined {
  const { device, base, buttons } = topics
  const entities = entitiesOf(facts)
  if (entities === undefined) return undefined
  const shown = entities.filter(({ component }) => buttons || component !== 'button')
  const node = nodeOf(device)
  const state = `${base}/state`
  const commandTopic = ({ id }: Entity) => `${base}/command/${id}`
  const announcements = shown.map((entity) => {
    const { component, id, config } = entity
    const place =
      component === 'button'
        ? { command_topic: commandTopic(entity), payload_press: pressed }
        : { state_topic: state, value_template: `{{ value_json['${id}'] }}` }
    const payload = JSON.stringify({
      ...config,
      ...place,
      ...{ unique_id: `${node}_${id}`, qos: 1 },
      ...{ availability_topic: `${base}/status` },
      ...{ payload_available: available, payload_not_available: unavailable },
      ...aboutDevice(device),
    })
    return [`${device.prefix}/${component}/${node}/${id}/config`, payload] as const
  })
  const values = shown.flatMap(({ id, value }) => (value === undefined ? [] : [[id, value]]))
  const commands = shown.flatMap((entity) =>
    entity.command === undefined ? [] : [[commandTopic(entity), entity.command] as const],
  )
  return {
    announcements: new Map(announcements),
    state: { topic: state, payload: JSON.stringify(Object.fromEntries(values)) },
    commands: new Map(commands),
  }
}

/** Not the one of what was bought: `objectId` makes no text that ends so. */
function nodeOf({ id }: HomeAssistantDevice): string {
  return `${objectId(id)}_agent`
}

function entitiesOf(facts: DeviceFacts): readonly Entity[] | undefined {
  const { token, budget, jobs, waiting, paused } = facts.status
  if (token === undefined || budget === undefined) return undefined
  const { account, spentToday, nameOf } = facts
  const tokens = (amount: bigint) => formatNumber(amount, token.decimals)
  const unit = token.symbol
  return [
    sensor('spent-today', 'Spent today', tokens(spentToday), unit, 'total_increasing'),
    ...budget.limits.map((limit) =>
      sensor(leftId(limit), leftName(limit, nameOf), ...leftIn(limit, token)),
    ),
    ...budget.transactions
      .filter(({ scope }) => scope === 'ether')
      .map((limit) => sensor(leftId(limit), leftName(limit, nameOf), inEther(left(limit)), 'ETH')),
    sensor('tokens', 'Tokens', account.tokens && tokens(BigInt(account.tokens)), unit),
    sensor('ether', 'Ether', account.ether && inEther(BigInt(account.ether)), 'ETH'),
    problem('cannot-pay', 'Payments', waiting !== undefined),
    ...jobs.map(({ name, failures }) =>
      problem(`problem-${objectId(name)}`, `Job ${name}`, failures > 0),
    ),
    {
      component: 'binary_sensor',
      id: 'paused',
      config: { name: 'Paused', entity_category: 'diagnostic', icon: 'mdi:pause' },
      value: onOff(paused),
    },
    button('pause', 'Pause', 'mdi:pause', { name: 'pause' }),
    button('resume', 'Resume', 'mdi:play', { name: 'resume' }),
    ...jobs.map(({ name }) =>
      button(`run-${objectId(name)}`, `Run ${name}`, 'mdi:cart-arrow-down', {
        name: 'runJob',
        job: name,
      }),
    ),
  ]
}

function sensor(
  id: string,
  name: string,
  value: string | null,
  ...[unit, stateClass = 'measurement']: readonly [string, string?]
): Entity {
  const config = {
    name,
    unit_of_measurement: unit,
    state_class: stateClass,
    entity_category: 'diagnostic',
  }
  return { component: 'sensor', id, config, value }
}

function problem(id: string, name: string, is: boolean): Entity {
  const config = { name, device_class: 'problem', entity_category: 'diagnostic' }
  return { component: 'binary_sensor', id, config, value: onOff(is) }
}

function button(
  id: string,
  name: string,
  ...[icon, command]: readonly [string, DeviceCommand]
): Entity {
  return { component: 'button', id, config: { name, icon }, command }
}

/** The states of binary sensors, unless they are told others. */
function onOff(is: boolean): string {
  return is ? 'ON' : 'OFF'
}

function inEther(wei: bigint): string {
  return formatNumber(wei, 18)
}

function leftIn(limit: BudgetLimit, token: TokenUnit): readonly [value: string, unit: string] {
  const { symbol, decimals } = limit.unit ?? token
  return [formatNumber(left(limit), decimals), symbol]
}

function leftId({ scope, window }: BudgetLimit): string {
  return `left-${objectId(scope)}-${window}`
}

const windowWords = {
  hour: 'in an hour',
  day: 'today',
  month: 'this month',
  total: 'in all',
} as const satisfies Readonly<Record<BudgetLimit['window'], string>>

function leftName({ scope, window }: BudgetLimit, nameOf: DeviceFacts['nameOf']): string {
  return `Left ${windowWords[window]}${ofWhom(scope, nameOf)}`
}

function ofWhom(scope: BudgetScope, nameOf: DeviceFacts['nameOf']): string {
  const ofAsset = assetOf(scope)
  if (ofAsset !== undefined) {
    return ` of ${ofAsset.asset}${ofWhom(ofAsset.within as BudgetScope, nameOf)}`
  }
  if (scope === 'ether') return ' for fees'
  const [, kind, name = ''] = /^(job|receiver)\/(.*)$/.exec(scope) ?? []
  if (kind === undefined) return ''
  return kind === 'job' ? ` for ${name}` : ` at ${nameOf(name as Address) ?? name}`
}
