/** The desk's dialog: the same sheet as a patient's. */
export { Sheet as Dialog, type SheetProps as DialogProps } from './Sheet';
