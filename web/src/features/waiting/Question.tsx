import type { ReactNode } from 'react';
import { Button } from '@/ui/Button';
import { Sheet } from '@/ui/Sheet';

type Props = {
  title: string;
  isOpen: boolean;
  yes: string;
  no: string;
  busy?: boolean;
  onYes: () => void;
  onNo: () => void;
  children: ReactNode;
};

/** A decision with consequences: both answers say what they do. */
export function Question({ title, isOpen, yes, no, busy = false, onYes, onNo, children }: Props) {
  return (
    <Sheet title={title} isOpen={isOpen} onClose={onNo}>
      {children}
      <Button look="danger" wide busy={busy} onPress={onYes}>
        {yes}
      </Button>
      <Button look="secondary" wide onPress={onNo}>
        {no}
      </Button>
    </Sheet>
  );
}
