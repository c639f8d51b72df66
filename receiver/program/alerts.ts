// Tells the owner what is the matter with the receivers of a configuration.
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Signer } from '../../protocol/index.ts'
import { type Alerting, startAlerting } from '../alerts/alerting.ts'
import { type AlertFacts, conditionsOf } from '../alerts/conditions.ts'
import type { AlertsConfig } from '../alerts/schema.ts'
import type { Receiver } from '../core/receiver.ts'
import type { ReceiverSettings } from './settings.ts'

export interface AlertOwnerOptions {
  readonly alerts: AlertsConfig
  readonly settings: Pick<ReceiverSettings, 'stateRoot' | 'buyers'>
  readonly signer: Pick<Signer, 'address'>
  readonly log: Logger
}

/** `receivers` are none while they wait for the node: that is one of the things to tell. */
export function alertOwner(
  { alerts, settings, signer, log }: AlertOwnerOptions,
  receivers: () => readonly Receiver[],
): Promise<Alerting> {
  const begun = performance.now()
  const { sinks, ...rules } = alerts
  return startAlerting({
    sinks,
    file: join(settings.stateRoot, 'alerts.json'),
    receiver: signer.address,
    conditions: async () =>
      conditionsOf(rules, {
        ...(await factsOf(receivers(), performance.now() - begun)),
        nameOf: (buyer) => settings.buyers.get(buyer),
      }),
    onUndelivered: (sink, err) => log.warn({ sink, err }, 'an alert has not arrived; trying again'),
    onFailed: (err) => log.warn({ err }, 'alerts could not be looked at, or written down'),
  })
}

async function factsOf(
  receivers: readonly Receiver[],
  uptime: number,
): Promise<Omit<AlertFacts, 'nameOf'>> {
  const [newest] = receivers
  const { answers, age, ether } = newest?.health.chain() ?? {
    ...{ answers: false, age: Number.POSITIVE_INFINITY, ether: undefined },
  }
  return {
    contracts: receivers.map(({ contract, settlement, watchtowers }) => {
      return { contract, answers: settlement.status().answers, watchtowers: watchtowers() }
    }),
    chain: { answers, age: Math.min(age, uptime), ether },
    needed: newest?.settlement.status().reserve.needed,
    disk: await newest?.health.disk(),
    token: newest?.token ?? { symbol: 'units', decimals: 0 },
  }
}
