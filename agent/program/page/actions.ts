// What a person does on the page: commands of the control socket, no others.
import { z } from 'zod'
import { type Address, parseAddress, UraidenError } from '../../../protocol/index.ts'
import { type CommandHandlers, runCommand } from '../control/server.ts'
import { decode, malformed } from '../control/wire.ts'

export interface ActionOptions {
  readonly handlers: CommandHandlers
  /** Where a receiver is; undefined when the configuration does not say it. */
  readonly placeOf: (receiver: Address) => Promise<URL | undefined>
}

const closing = z.strictObject({
  channel: z.string().regex(/^0x[0-9a-fA-F]{40}\/\d+$/),
  how: z.enum(['together', 'alone']),
})

export type ActionName = 'pause' | 'resume' | 'runJob' | 'close'

const names: readonly string[] = ['pause', 'resume', 'runJob', 'close'] satisfies ActionName[]

export function isAction(name: string): name is ActionName {
  return names.includes(name)
}

/** @throws UraidenError `control_malformed`, `receiver_place_unknown`, and the command's own */
export async function act(
  { handlers, placeOf }: ActionOptions,
  name: ActionName,
  text: string,
): Promise<void> {
  const input = decode(text)
  if (name !== 'close') {
    await runCommand(handlers, name, input)
    return
  }
  const { data, error } = closing.safeParse(input)
  if (error !== undefined) throw malformed(error.issues[0]?.message ?? name)
  const { channel, how } = data
  if (how === 'alone') await runCommand(handlers, 'close', { channel })
  else {
    const receiver = parseAddress(channel.slice(0, channel.indexOf('/')))
    const api = await placeOf(receiver)
    if (api === undefined) throw placeUnknown(receiver)
    await runCommand(handlers, 'close', { channel, api: `${api}` })
  }
}

function placeUnknown(receiver: Address): UraidenError {
  return new UraidenError({
    code: 'receiver_place_unknown',
    message: `It is not known where the receiver ${receiver} is.`,
    hint: 'List it with its address under receivers in agent.yaml, or close alone.',
  })
}
