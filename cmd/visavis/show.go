package main

import (
	"encoding/json"
	"fmt"

	"visavis/internal/config"
)

type showCmd struct{}

// Run prints the settings in force as JSON; secrets show as "(set)".
func (showCmd) Run(cfg *config.Config) error {
	raw, err := settings(cfg)
	if err != nil {
		return err
	}
	fmt.Println(string(raw))
	return nil
}

// settings writes every setting but the secrets themselves.
func settings(cfg *config.Config) ([]byte, error) { return json.MarshalIndent(cfg, "", "  ") }
