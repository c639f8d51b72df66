// A button of an action that takes its time.
import { h, setText } from './dom.ts'

export interface ActionButton {
  readonly element: HTMLButtonElement
  readonly say: (label: string) => void
}

/** Pressed again meanwhile, it does nothing; it keeps the focus, which a disabled one would lose. */
export function actionButton(
  label: string,
  action: () => Promise<void>,
  attributes: { readonly [name: string]: string } = {},
): ActionButton {
  let busy = false
  const press = async () => {
    if (busy) return
    busy = true
    element.setAttribute('aria-disabled', 'true')
    try {
      await action()
    } finally {
      busy = false
      element.removeAttribute('aria-disabled')
    }
  }
  const onclick = () => void press()
  const element = h('button', { type: 'button', ...attributes, onclick }, label)
  return { element, say: (text) => setText(element, text) }
}
