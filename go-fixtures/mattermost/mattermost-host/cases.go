package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
	"github.com/mattermost/mattermost/server/public/plugin"
)

func same(what string, got, want any) error {
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}
	return nil
}

// activated runs a check on a plugin that is active, after what its activation called.
func activated(check func(*harness) error) func(*harness) error {
	return func(h *harness) error {
		if err := h.activate(); err != nil {
			return err
		}
		h.server.took()
		return check(h)
	}
}

var context = &plugin.Context{RequestId: "request1", UserAgent: "mattermost-host"}

// hooked are the hooks that the plugin has, beside OnActivate.
var hooked = map[string]int{
	"OnDeactivate": plugin.OnDeactivateID, "OnConfigurationChange": plugin.OnConfigurationChangeID,
	"ServeHTTP": plugin.ServeHTTPID, "ExecuteCommand": plugin.ExecuteCommandID,
	"MessageWillBePosted": plugin.MessageWillBePostedID, "UserHasLoggedIn": plugin.UserHasLoggedInID,
	"FileWillBeUploaded": plugin.FileWillBeUploadedID,
}

var cases = map[string]func(*harness) error{
	"start": func(h *harness) error {
		started := time.Now()
		if err := h.activate(); err != nil {
			return err
		}
		fmt.Println(time.Since(started).Milliseconds())
		return nil
	},
	"activate": func(h *harness) error {
		if err := h.activate(); err != nil {
			return err
		}
		err := same("calls", h.server.took(), []string{
			"RegisterCommand goplug Goplug true", "KVSet activated=yes", "LogInfo activated [greeting Welcome times 1]",
		})
		found := map[int]bool{}
		for id := range plugin.TotalHooksID {
			h.env.RunMultiPluginHook(func(plugin.Hooks, *model.Manifest) bool { found[id] = true; return true }, id)
		}
		for name, id := range hooked {
			if !found[id] {
				err = errors.Join(err, fmt.Errorf("%s is not implemented", name))
			}
			delete(found, id)
		}
		delete(found, plugin.OnActivateID)
		return errors.Join(err, same("further hooks", len(found), 0), h.env.PerformHealthCheck(pluginID))
	},
	"activate-error": func(h *harness) error {
		h.server.config["fail"] = "no licence"
		_, _, err := h.env.Activate(pluginID)
		var text *plugin.ErrorString
		if !errors.As(err, &text) {
			return fmt.Errorf("the error is a %T: %v", err, err)
		}
		return same("error", text.Err, "failed: no licence")
	},
	"activate-app-error": func(h *harness) error {
		h.server.config["fail"] = "app-error"
		_, _, err := h.env.Activate(pluginID)
		var appErr *model.AppError
		if !errors.As(err, &appErr) {
			return fmt.Errorf("the error is a %T: %v", err, err)
		}
		return same("error", []any{appErr.Id, appErr.Where, appErr.DetailedError, appErr.StatusCode},
			[]any{"goplug.activate", "OnActivate", "told to", http.StatusTeapot})
	},
	"configuration": activated(func(h *harness) error {
		h.server.config["greeting"] = "Servus"
		if err := h.hooks.OnConfigurationChange(); err != nil {
			return err
		}
		h.hooks.UserHasLoggedIn(context, &model.User{Id: "user1"})
		return same("post", h.server.took()[0], "CreatePost user1 town-square: Servus, ann")
	}),
	"message": activated(func(h *harness) error {
		yes := true
		post := &model.Post{
			Id: "post2", UserId: "user1", Message: "hello", CreateAt: 1_700_000_000_001, IsFollowing: &yes,
			FileIds: []string{"f1", "f2"},
			Props: map[string]any{
				"number": 5, "float": 1.5, "list": []any{"a", 1, nil, true}, "map": map[string]any{"k": []any{int64(7)}},
				"attachments": []*model.MessageAttachment{{Id: 1, Text: "attached", Fields: []*model.MessageAttachmentField{{Title: "t", Value: "v", Short: true}}}},
			},
			Metadata:     &model.PostMetadata{Priority: &model.PostPriority{Priority: model.NewPointer("urgent")}},
			Participants: []*model.User{{Id: "user1", Username: "ann"}},
		}
		want := post.Clone()
		want.Message = "HELLO"
		want.AddProp("checked_by", "goplug")
		got, reason := h.hooks.MessageWillBePosted(context, post)
		if err := same("reason", reason, ""); err != nil {
			return err
		}
		return errors.Join(same("message", got.Message, want.Message), same("props", got.Props, want.Props),
			same("post", text(got), text(want)))
	}),
	"message-partial": activated(func(h *harness) error {
		post := &model.Post{Id: "post2", UserId: "user1", Message: "partial", Props: map[string]any{"number": 5}}
		got, reason := h.hooks.MessageWillBePosted(context, post)
		return same("post", []any{reason, got.Message, got.UserId, got.Props["number"]}, []any{"", "PARTIAL", "user1", 5})
	}),
	"message-rejected": activated(func(h *harness) error {
		_, reason := h.hooks.MessageWillBePosted(context, &model.Post{Message: "this is forbidden"})
		return same("reason", reason, "rejected: forbidden")
	}),
	"login": activated(func(h *harness) error {
		h.hooks.UserHasLoggedIn(context, &model.User{Id: "user1"})
		h.hooks.UserHasLoggedIn(context, &model.User{Id: "nobody"})
		return same("calls", h.server.took(), []string{
			"CreatePost user1 town-square: Welcome, ann",
			"PublishWebSocketEvent welcomed map[post_id:post1 times:1] user1",
			"LogInfo no such user [id nobody status 404]",
		})
	}),
	"command": activated(func(h *harness) error {
		run := func(command string) string {
			response, appErr := h.hooks.ExecuteCommand(context, &model.CommandArgs{UserId: "user1", Command: command})
			if appErr != nil {
				return fmt.Sprintf("%s %s %d %s", appErr.Where, appErr.Id, appErr.StatusCode, appErr.DetailedError)
			}
			return response.ResponseType + " " + response.Text
		}
		got := []string{
			run("/goplug set a b"), run("/goplug get a"), run("/goplug get nothing"), run("/goplug user user1"),
			run("/goplug user nobody"), run("/goplug set refused x"), run("/goplug dance"),
		}
		return same("answers", got, []string{
			"ephemeral stored", "ephemeral b", "ephemeral ", "ephemeral ann",
			"GetUser app.user.missing_account.const 404 nobody",
			"KVSet app.plugin_store.save.app_error 500 refused",
			"ExecuteCommand goplug.command.unknown 400 /goplug dance",
		})
	}),
	"http": activated(func(h *harness) error {
		missing := h.request(http.MethodGet, "/nowhere", nil)
		err := errors.Join(h.echo(0), h.echo(1), h.echo(10<<20), same("status", missing.Code, http.StatusNotFound))
		var group sync.WaitGroup
		failed := make([]error, 16)
		for i := range failed {
			group.Go(func() { failed[i] = h.echo(1<<20 + i) })
		}
		group.Wait()
		return errors.Join(append(failed, err)...)
	}),
	"http-between-plugins": activated(func(h *harness) error {
		got := h.request(http.MethodGet, "/inter-plugin", nil)
		body := strings.Repeat("ping ", 200_000)
		return errors.Join(
			same("call", h.server.took(), []string{"PluginHTTP POST /other/echo?q=1 1000000 <nil>"}),
			same("status", got.Code, http.StatusAccepted),
			same("header", got.Header().Get("X-Other"), "yes"),
			same("body", got.Body.String() == body, true))
	}),
	"driver": activated(func(h *harness) error {
		got := h.request(http.MethodGet, "/db", nil)
		return errors.Join(same("answer", got.Body.String(), "Name,Age\nplugin 1,1\nplugin 2,2\n"),
			same("calls", h.server.db.calls, []string{
				"Conn true " + pluginID, "ConnQuery conn1 SELECT Name, Age FROM Plugins WHERE Author = $1 goplug",
				"RowsClose rows1", "ConnClose conn1",
			}))
	}),
	"upload": activated(func(h *harness) error {
		text := strings.Repeat("some text\n", 300_000)
		name, reason, replaced := h.upload("notes.txt", text)
		_, rejected, none := h.upload("virus.exe", "MZ")
		kept, allowed, untouched := h.upload("image.png", text)
		return errors.Join(
			same("replaced", []string{name, reason}, []string{"upper-notes.txt", ""}),
			same("replacement", replaced == strings.ToUpper(text), true),
			same("rejected", []string{rejected, none}, []string{"rejected: virus.exe", ""}),
			// A nil that is not sent leaves what the host had there, so that the file's own information comes back.
			same("allowed", []string{kept, allowed, untouched}, []string{"image.png", "", ""}))
	}),
	"deactivate": activated(func(h *harness) error {
		if !h.env.Deactivate(pluginID) {
			return errors.New("not deactivated")
		}
		err := same("calls", h.server.took(), []string{"LogInfo deactivated []"})
		if h.env.IsActive(pluginID) {
			err = errors.Join(err, errors.New("still active"))
		}
		return errors.Join(err, h.activate())
	}),
}

func text(post *model.Post) string {
	data, err := post.ToJSON()
	if err != nil {
		return err.Error()
	}
	return data
}

func (h *harness) request(method, path string, body io.Reader) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	h.hooks.ServeHTTP(context, recorder, httptest.NewRequest(method, path, body))
	return recorder
}

func (h *harness) echo(size int) error {
	body := make([]byte, size)
	for i := range body {
		body[i] = byte(i*31 + 7)
	}
	got := h.request(http.MethodPost, "/echo", bytes.NewReader(body))
	return errors.Join(same("status", got.Code, http.StatusCreated),
		same("header", got.Header().Get("X-Length"), fmt.Sprint(size)),
		same(fmt.Sprintf("body of %d", size), bytes.Equal(got.Body.Bytes(), body), true))
}

func (h *harness) upload(name, content string) (string, string, string) {
	var output bytes.Buffer
	info, reason := h.hooks.FileWillBeUploaded(context, &model.FileInfo{Name: name}, strings.NewReader(content), &output)
	if info == nil {
		return "nil", reason, output.String()
	}
	return info.Name, reason, output.String()
}
