// Making and changing elements. Text is always text: nothing here takes HTML.

type Attributes = { readonly [name: string]: string | boolean | EventListener }

/** `h('button', { type: 'button', onclick: save }, 'Save')`; `false` leaves an attribute out. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.replace(/^on/, ''), value)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== false) element.setAttribute(name, value)
  }
  element.append(...children)
  return element
}

/** Changes a text only when it differs, so that screen readers repeat nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

export function show(element: HTMLElement, visible: boolean): void {
  element.hidden = !visible
}

/**
 * The element of an id that the page has.
 * @throws Error when it has not: page and script do not belong together
 */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the page has no element #${id}`)
  return element
}

/** Into the page's line for messages; bad news is coloured. */
export function sayIn(element: Element, text: string, kind: 'status' | 'alert' = 'status'): void {
  element.className = kind === 'alert' ? 'd-message d-bad' : 'd-message'
  setText(element, text)
}
