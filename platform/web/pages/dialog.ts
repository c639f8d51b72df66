// Asks before something happens that cannot be taken back.
import { h } from './dom.ts'

/** Resolves with true when the person confirms; Escape and the other button say no. */
export function confirmed(question: string, consequence: string, yes: string): Promise<boolean> {
  const dialog = h('dialog', { class: 'd-dialog', 'aria-labelledby': 'd-question' })
  const answer = (value: string) => () => dialog.close(value)
  dialog.append(
    h('h2', { id: 'd-question' }, question),
    h('p', {}, consequence),
    h(
      'div',
      { class: 'd-row' },
      h('button', { type: 'button', onclick: answer('no') }, 'Cancel'),
      h('button', { type: 'button', class: 'd-primary', onclick: answer('yes') }, yes),
    ),
  )
  document.body.append(dialog)
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(dialog.returnValue === 'yes')
    })
  })
}
