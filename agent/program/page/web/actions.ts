// What a person does on the page: the token that allows it, and what is said of each action.
import { type Choice, chosen } from '../../../../platform/web/pages/dialog.ts'
import { byId, h, setText } from '../../../../platform/web/pages/dom.ts'
import type { PageChannel } from '../state.ts'
import { act, forgetToken, Refusal, savedToken, showToken } from './api.ts'
import { receiverText } from './channels.ts'

export interface Actions {
  readonly run: (action: Action) => Promise<void>
  readonly closeChannel: (channel: PageChannel) => Promise<void>
  /** Gives the token up, or asks for it. */
  readonly lockOrUnlock: () => Promise<void>
}

export interface Action {
  readonly name: Parameters<typeof act>[0]
  readonly input: object
  /** Said while it is under way. */
  readonly begins: string
  readonly done: string
}

/** `onLock`: a token was given, or is no longer there. */
export function createActions(onLock: () => void): Actions {
  async function run({ name, input, begins, done }: Action): Promise<void> {
    say(begins)
    try {
      await act(name, input)
      say(done)
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) forgetToken()
      say(error instanceof Error ? error.message : String(error), 'alert')
      onLock()
    }
  }

  return {
    run,
    lockOrUnlock: async () => {
      if (savedToken() !== null) forgetToken()
      else if (await unlocked()) say('Actions are allowed in this tab.')
      onLock()
    },
    closeChannel: async (channel) => {
      const name = receiverText(channel)
      const how = await howToClose(channel)
      if (how === undefined) return
      const done = how === 'together' ? 'is closed' : 'is closing; the agent settles by itself'
      await run({
        name: 'close',
        input: { channel: channel.name, how },
        begins: 'Sent; it takes a block or two…',
        done: `The channel to ${name} ${done}.`,
      })
    },
  }
}

function say(text: string, kind: 'status' | 'alert' = 'status'): void {
  const message = byId('a-message')
  message.className = kind === 'alert' ? 'd-message d-bad' : 'd-message'
  setText(message, text)
}

function howToClose(channel: PageChannel): Promise<'together' | 'alone' | undefined> {
  const together: readonly Choice<'together' | 'alone'>[] =
    channel.receiverName === null ? [] : [['together', 'Close together']]
  return chosen(
    `Close the channel to ${receiverText(channel)}?`,
    [
      'It ends for good. What was paid goes to the receiver, the rest comes back.',
      ...(channel.receiverName === null
        ? ['Where the receiver is is not known (list it under receivers in agent.yaml).']
        : ['Together: the receiver agrees, and the rest is back after one transaction.']),
      'Alone: for a receiver that does not answer. The rest comes back after the challenge period.',
    ],
    [['alone', 'Close alone'], ...together],
  )
}

/** Asks for the token. Resolves with true when the right one was given. */
function unlocked(): Promise<boolean> {
  const input = h('input', { name: 'token', type: 'password', autocomplete: 'off', required: true })
  const problem = h('p', { class: 'd-bad', role: 'alert' })
  const form = h(
    'form',
    { class: 'a-unlock' },
    h('h2', { id: 'a-unlock-title' }, 'Allow actions'),
    h('p', {}, 'The token is the first line of the file that page.token names in agent.yaml.'),
    h('label', {}, 'Token ', input),
    problem,
    h(
      'div',
      { class: 'd-row' },
      h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'),
      h('button', { class: 'd-primary' }, 'Allow'),
    ),
  )
  const dialog = h('dialog', { class: 'd-dialog', 'aria-labelledby': 'a-unlock-title' }, form)
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    setText(problem, '')
    try {
      await showToken(input.value.trim())
      dialog.close('yes')
    } catch (error) {
      setText(problem, error instanceof Error ? error.message : String(error))
      input.select()
    }
  })
  document.body.append(dialog)
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(dialog.returnValue === 'yes')
    })
  })
}
