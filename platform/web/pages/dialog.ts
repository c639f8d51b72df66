// Asks before something happens that cannot be taken back.
import { h } from './dom.ts'

/** What can be answered: its value, and what stands on its button. The last one is the usual one. */
export type Choice<Value extends string> = readonly [value: Value, label: string]

/** Resolves with true when the person confirms; Escape and the other button say no. */
export async function confirmed(
  question: string,
  consequence: string,
  yes: string,
): Promise<boolean> {
  return (await chosen(question, [consequence], [['yes', yes]])) === 'yes'
}

/** Resolves with the choice; undefined when the person cancels. */
export function chosen<Value extends string>(
  question: string,
  consequences: readonly string[],
  choices: readonly Choice<Value>[],
): Promise<Value | undefined> {
  const dialog = h('dialog', { class: 'd-dialog', 'aria-labelledby': 'd-question' })
  const answer = (value: string) => () => dialog.close(value)
  const button = ([value, label]: Choice<Value>, at: number) => {
    const usual = at === choices.length - 1 ? 'd-primary' : ''
    return h('button', { type: 'button', class: usual, onclick: answer(value) }, label)
  }
  dialog.append(
    h('h2', { id: 'd-question' }, question),
    ...consequences.map((text) => h('p', {}, text)),
    h(
      'div',
      { class: 'd-row' },
      h('button', { type: 'button', onclick: answer('') }, 'Cancel'),
      ...choices.map(button),
    ),
  )
  document.body.append(dialog)
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(choices.find(([value]) => value === dialog.returnValue)?.[0])
    })
  })
}
