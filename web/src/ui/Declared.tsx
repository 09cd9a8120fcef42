import { Choice, TextField } from './Field';

/** What a patient says of one subject: not given, none, or a list in their words. */
export type DeclaredSubject = { state: '' | 'none' | 'listed'; text: string };

export const notGiven: DeclaredSubject = { state: '', text: '' };

/** "I have allergies" without naming any: asked at the field, never taken for "not given". Signs alone name nothing. */
export const namesNothing = ({ state, text }: DeclaredSubject) => state === 'listed' && !/[\p{L}\p{N}]/u.test(text);

/** What is sent: the words of a list only. */
export function sentSubject({ state, text }: DeclaredSubject) {
  return state === 'listed' ? { state, text: text.trim() } : { state };
}

export type DeclaredWords = { legend: string; notGiven: string; none: string; listed: string; text: string };

type Props = { name: string; words: DeclaredWords; value: DeclaredSubject; onChange: (value: DeclaredSubject) => void; error?: string | undefined };

export function DeclaredField({ name, words, value, onChange, error }: Props) {
  return (
    <>
      <Choice
        legend={words.legend}
        name={name}
        value={value.state}
        onChange={(state) => onChange({ ...value, state: state as DeclaredSubject['state'] })}
        options={[
          { value: '', label: words.notGiven },
          { value: 'none', label: words.none },
          { value: 'listed', label: words.listed },
        ]}
      />
      {value.state === 'listed' && (
        <TextField label={words.text} name={`${name}-text`} value={value.text} onChange={(text) => onChange({ ...value, text })} rows={3} maxLength={2000} error={error} />
      )}
    </>
  );
}
