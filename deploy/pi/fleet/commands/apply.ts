// provision apply
import { accountsFile, createAccountList } from '../hosts/accounts.ts'
import { type Applied, applyTo, planFor } from '../hosts/apply.ts'
import { findPackages } from '../hosts/packages.ts'
import { type Step, stepText } from '../hosts/plan.ts'
import { type FleetCommand, finish, openSession, overFleet } from '../hosts/session.ts'
import { type SingleHost, singleHost } from '../hosts/single-host.ts'
import { readTemplate } from '../hosts/template.ts'

export interface ApplyCommand extends FleetCommand, SingleHost {
  readonly dryRun?: true
  readonly to?: string
  /** Hosts whose account may have changed. */
  readonly newAccount: readonly string[]
  /** In seconds. */
  readonly wait: number
}

export async function apply(
  names: readonly string[],
  command: ApplyCommand,
): Promise<'ok' | 'failed'> {
  const single = command.host === undefined ? undefined : singleHost(command)
  const session = await openSession(names, command, single)
  const { inventory } = session
  const options = {
    template: { file: inventory.template, text: await readTemplate(inventory.template) },
    packages: await findPackages(inventory.packages),
    accounts: createAccountList({
      file: accountsFile(inventory.file),
      renewed: command.newAccount,
    }),
    wait: { timeout: command.wait * 1000, interval: 1000 },
    version: command.to,
  }
  const outcomes = command.dryRun
    ? await overFleet<{ readonly steps: readonly Step[] }>(
        session,
        command.parallel,
        async (host, settings) => {
          const { steps } = await planFor(host, settings, options)
          return { steps }
        },
        ({ steps }) => (steps.length > 0 ? ['would', ...stepLines(steps)] : []),
      )
    : await overFleet<Applied>(
        session,
        command.parallel,
        (host, settings) => applyTo(host, settings, options),
        appliedLines,
      )
  return finish(session, outcomes)
}

function appliedLines({ steps, address, registered, warnings }: Applied): readonly string[] {
  const changed = [...stepLines(steps), ...(registered ? ['enter its account to be funded'] : [])]
  return [
    `${changed.length === 0 ? 'nothing to change' : 'changed'}, account ${address}`,
    ...changed,
    ...warnings.map((warning) => `! ${warning}`),
  ]
}

function stepLines(steps: readonly Step[]): readonly string[] {
  return steps.flatMap((step) => [
    stepText(step),
    ...(step.kind === 'config' ? step.lines.map((line) => `    ${line}`) : []),
  ])
}
