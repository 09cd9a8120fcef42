/**
 * A field that proposes what the server finds while one types. The list is the
 * server's: nothing is filtered here; choosing calls `onChoose` once.
 */
import { ComboBox } from 'react-aria-components/ComboBox';
import { FieldError } from 'react-aria-components/FieldError';
import { Input } from 'react-aria-components/Input';
import { Label } from 'react-aria-components/Label';
import { ListBox, ListBoxItem } from 'react-aria-components/ListBox';
import { Popover } from 'react-aria-components/Popover';
import { Text } from 'react-aria-components/Text';
import field from './Field.module.css';
import styles from './SearchBox.module.css';

export type Found = { id: string; title: string; detail?: string | undefined };

export type SearchBoxProps = {
  label: string;
  hint?: string;
  error?: string | undefined;
  value: string;
  onChange: (text: string) => void;
  items: readonly Found[];
  onChoose: (id: string) => void;
  /** Said in place of the list: nothing found, still looking, or failed. */
  empty: string;
  autoFocus?: boolean;
};

export function SearchBox({ label, hint, error, value, onChange, items, onChoose, empty, autoFocus = false }: SearchBoxProps) {
  return (
    <ComboBox
      items={items}
      inputValue={value}
      onInputChange={onChange}
      value={null}
      onChange={(key) => key !== null && onChoose(String(key))}
      defaultFilter={() => true}
      allowsEmptyCollection={value.trim().length >= 2}
      allowsCustomValue
      menuTrigger="input"
      isInvalid={error !== undefined}
      autoFocus={autoFocus}
      className={field.field ?? ''}
    >
      <Label className={field.label ?? ''}>{label}</Label>
      {hint && (
        <Text slot="description" className={field.hint ?? ''}>
          {hint}
        </Text>
      )}
      <Input className={field.input ?? ''} autoComplete="off" />
      <FieldError className={field.error ?? ''}>{error}</FieldError>
      <Popover className={`desk ${styles.popover}`}>
        <ListBox className={styles.list ?? ''} renderEmptyState={() => <p className={styles.empty}>{empty}</p>}>
          {(item: Found) => (
            <ListBoxItem id={item.id} textValue={item.title} className={styles.item ?? ''}>
              <span className={styles.title}>{item.title}</span>
              {item.detail && <span className={styles.detail}>{item.detail}</span>}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}
