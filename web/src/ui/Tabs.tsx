/** Parts of one thing, one in view at a time; what was typed in the others stays. */
import type { ReactNode } from 'react';
import { Tab, TabList, TabPanel, Tabs as AriaTabs } from 'react-aria-components/Tabs';
import styles from './Tabs.module.css';

export type TabsProps = {
  label: string;
  value: string;
  onChange: (value: string) => void;
  items: readonly { id: string; label: ReactNode; content: ReactNode }[];
};

export function Tabs({ label, value, onChange, items }: TabsProps) {
  return (
    <AriaTabs selectedKey={value} onSelectionChange={(key) => onChange(String(key))} className={styles.tabs ?? ''}>
      <TabList aria-label={label} className={styles.list ?? ''}>
        {items.map((i) => (
          <Tab key={i.id} id={i.id} className={styles.tab ?? ''}>
            {i.label}
          </Tab>
        ))}
      </TabList>
      {items.map((i) => (
        <TabPanel key={i.id} id={i.id} shouldForceMount className={styles.panel ?? ''}>
          {i.content}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}
