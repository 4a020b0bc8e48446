/** Programs and style sheets, imported as text: `import text from './x.sh' with { type: 'text' }`. */
declare module '*.sh' {
  const text: string;
  export default text;
}
declare module '*.css' {
  const text: string;
  export default text;
}
