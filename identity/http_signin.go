package identity

import (
	"errors"
	"net/http"
	"net/url"

	"visavis/internal/fault"
	"visavis/internal/httpx"
)

// signinCookie binds a sign-in under way to the browser that began it.
const signinCookie = "__Host-visavis-psc"

// signinRoutes are redirects, not JSON: a person's browser follows them.
func signinRoutes(s *httpx.Server, svc *Service) {
	s.Mount(http.MethodGet, "/api/auth/psc/start", "signin.start", svc.getStart)
	s.Mount(http.MethodGet, "/api/auth/psc/callback", "signin.start", svc.getCallback)
}

func (s *Service) getStart(w http.ResponseWriter, r *http.Request) {
	address, browser, err := s.StartSignin(r.Context(), r.URL.Query().Get("return"))
	if err != nil {
		s.backWith(w, r, err)
		return
	}
	http.SetCookie(w, bindCookie(browser, int(signinLife.Seconds())))
	http.Redirect(w, r, address, http.StatusFound)
}

func (s *Service) getCallback(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back := Return{State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error")}
	if c, err := r.Cookie(signinCookie); err == nil {
		back.Browser = c.Value
	}
	http.SetCookie(w, bindCookie("", -1))
	session, to, _, err := s.FinishSignin(r.Context(), back)
	if err != nil {
		s.backWith(w, r, err)
		return
	}
	cookie := httpx.SessionCookie(session)
	http.SetCookie(w, &cookie)
	http.Redirect(w, r, to, http.StatusFound)
}

// backWith returns to the sign-in page, which explains the code. A failure
// that is no refusal is answered as a problem.
func (s *Service) backWith(w http.ResponseWriter, r *http.Request, err error) {
	var f *fault.Error
	if !errors.As(err, &f) {
		httpx.Refuse(w, r, err)
		return
	}
	http.Redirect(w, r, "/pro?error="+url.QueryEscape(f.Code), http.StatusFound)
}

func bindCookie(value string, age int) *http.Cookie {
	return &http.Cookie{Name: signinCookie, Value: value, Path: "/", MaxAge: age, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}
