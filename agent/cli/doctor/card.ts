// How the card is written to, as the daemon does it: what agent.yaml wants takes a folder in memory, too.
import { type Finding, ok, warning } from '../../../platform/cli/doctor.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import type { AgentConfig } from '../../program/configuration/config.ts'
import type { DaemonStatus } from '../../program/control/status.ts'
import { cardText } from '../text/status.ts'

/** `status` is undefined where no daemon runs. */
export function judgeCard(
  { card }: Pick<AgentConfig, 'card'>,
  status: Pick<DaemonStatus, 'card'> | undefined,
  now: Milliseconds,
): Finding {
  if (status === undefined) return ok(`${card}, once the daemon runs`)
  const says = cardText(status.card, now)
  if (status.card.mode === card) return ok(says)
  return warning(
    `${says}. agent.yaml says ${card}: run uraiden-agent reload${card === 'gentle' ? ', and give the daemon a $RUNTIME_DIRECTORY, as the unit of the package does' : ''}.`,
  )
}
