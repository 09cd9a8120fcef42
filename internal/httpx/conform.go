package httpx

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Describes tells whether the OpenAPI document knows what a method does to a
// URL's path.
func (s *Server) Describes(method, path string) bool { return s.operation(method, path) != nil }

// Conforms tells whether an answer is what the OpenAPI document says of a
// method on a URL's path: its status, its media type and, for JSON, its schema.
func (s *Server) Conforms(method, path string, status int, mediaType string, body []byte) error {
	op := s.operation(method, path)
	if op == nil {
		return fmt.Errorf("%s %s: not in the document", method, path)
	}
	said := op.Responses[strconv.Itoa(status)]
	if said == nil && status >= http.StatusBadRequest {
		said = op.Responses["default"]
	}
	if said == nil {
		return fmt.Errorf("%s: status %d is not in the document", op.OperationID, status)
	}
	if len(body) == 0 && len(said.Content) == 0 {
		return nil
	}
	content := said.Content[mediaType]
	if content == nil {
		return fmt.Errorf("%s: %d with %q is not in the document", op.OperationID, status, mediaType)
	}
	if !strings.HasSuffix(mediaType, "json") {
		return nil
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return fmt.Errorf("%s: %w", op.OperationID, err)
	}
	result := &huma.ValidateResult{}
	huma.Validate(s.api.OpenAPI().Components.Schemas, content.Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, value, result)
	if len(result.Errors) > 0 {
		return fmt.Errorf("%s: %d is not what the document says: %v", op.OperationID, status, result.Errors)
	}
	return nil
}

// operation finds what the document says of a path; of two patterns, the one
// with fewer parameters.
func (s *Server) operation(method, path string) *huma.Operation {
	var best *huma.Operation
	least := len(path)
	for pattern, item := range s.api.OpenAPI().Paths {
		if n := parameters(pattern, path); n >= 0 && n < least {
			if op := operations(item)[method]; op != nil {
				best, least = op, n
			}
		}
	}
	return best
}

func operations(item *huma.PathItem) map[string]*huma.Operation {
	return map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
	}
}

// parameters counts those of a pattern; -1 when the path is not of the pattern.
func parameters(pattern, path string) (n int) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return -1
	}
	for i, w := range want {
		switch {
		case strings.HasPrefix(w, "{"):
			n++
		case w != got[i]:
			return -1
		}
	}
	return n
}
