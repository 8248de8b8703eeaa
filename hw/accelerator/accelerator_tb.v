// Self-checking bench of accelerator.v: vectors come from files in the current folder, and every feature map, every
// normalised sample and every output is compared. Prints one line that begins with PASS or FAIL.
//
// +batches=N   batches in the files
// +pauses=S    idle cycles and stalls at random on every stream, with the seed S; without it there are none
/* verilator lint_off WIDTHEXPAND */
/* verilator lint_off WIDTHTRUNC */
module accelerator_tb;
    localparam BATCH = 1024, CHANNELS = 4, MOST = 8;
    localparam [31:0] PATIENCE = 20000;     // cycles without an output

    reg clk = 0, rst = 1;
    always #5 clk = ~clk;

    reg [7:0]  pixels  [0:MOST*BATCH-1];
    reg [7:0]  weights [0:9*CHANNELS-1];
    reg [31:0] affine  [0:MOST*CHANNELS-1]; // beta and gamma
    reg [18:0] maps    [0:MOST*CHANNELS*BATCH-1];
    reg [15:0] ys      [0:MOST*CHANNELS*BATCH-1];
    reg [7:0]  outputs [0:MOST*CHANNELS*BATCH-1];

    reg         weight_write = 0;
    reg [1:0]   weight_channel = 0;
    reg [3:0]   weight_tap = 0;
    reg [7:0]   weight = 0;
    reg [7:0]   i_data = 0;
    reg         i_valid = 0;
    wire        i_ready;
    reg [15:0]  gamma = 0, beta = 0;
    reg         affine_valid = 0;
    wire        affine_ready;
    wire [7:0]  o_data;
    wire        o_last, o_error, o_valid;
    reg         o_ready = 0;

    accelerator dut (
        .clk(clk), .rst(rst),
        .weight_write(weight_write), .weight_channel(weight_channel), .weight_tap(weight_tap), .weight(weight),
        .i_data(i_data), .i_valid(i_valid), .i_ready(i_ready),
        .gamma(gamma), .beta(beta), .affine_valid(affine_valid), .affine_ready(affine_ready),
        .o_data(o_data), .o_last(o_last), .o_error(o_error), .o_valid(o_valid), .o_ready(o_ready)
    );

    integer batches, seed, pauses, written, pixel, item, map, y, out, cycle, first, latest, wrong, quiet;
    reg started;

    // 1 in three cycles of four, or always.
    function go(input integer ignored);
        go = pauses == 0 || ($random(seed) & 3) != 0;
    endfunction

    task mismatch(input integer place, input [31:0] found, input [31:0] expected, input [79:0] what);
        begin
            if (wrong < 10)
                $display("%0s %0d is %0d and should be %0d", what, place, found, expected);
            wrong = wrong + 1;
        end
    endtask

    initial begin
        $readmemh("weights.hex", weights);
        if (!$value$plusargs("batches=%d", batches)) batches = 1;
        if (!$value$plusargs("pauses=%d", seed)) seed = 0;
        $readmemh("pixels.hex", pixels, 0, batches*BATCH-1);
        $readmemh("affine.hex", affine, 0, batches*CHANNELS-1);
        $readmemh("maps.hex", maps, 0, batches*CHANNELS*BATCH-1);
        $readmemh("normalised.hex", ys, 0, batches*CHANNELS*BATCH-1);
        $readmemh("outputs.hex", outputs, 0, batches*CHANNELS*BATCH-1);
        pauses = seed;
        written = 0; pixel = 0; item = 0; map = 0; y = 0; out = 0;
        cycle = 0; first = 0; latest = 0; wrong = 0; quiet = 0;
        started = 0;
    end

    always @(posedge clk) begin
        cycle <= cycle + 1;
        if (cycle == 4) rst <= 0;
        if (cycle > 4) begin
            weight_write   <= written < 9*CHANNELS;
            weight_channel <= written / 9;
            weight_tap     <= written % 9;
            if (written < 9*CHANNELS) begin
                weight  <= weights[written];
                written <= written + 1;
            end
            started <= written == 9*CHANNELS;
        end
    end

    always @(posedge clk)
        if (started & (~i_valid | i_ready)) begin
            i_valid <= 0;
            if (pixel < batches*BATCH && go(0)) begin
                i_valid <= 1;
                i_data  <= pixels[pixel];
                pixel   <= pixel + 1;
            end
        end

    always @(posedge clk)
        if (started & (~affine_valid | affine_ready)) begin
            affine_valid <= 0;
            if (item < batches*CHANNELS && go(0)) begin
                affine_valid  <= 1;
                {beta, gamma} <= affine[item];
                item          <= item + 1;
            end
        end

    always @(posedge clk) begin
        o_ready <= started && go(0);
        if (dut.map_valid & dut.map_ready & ~rst) begin
            if (dut.map_data !== maps[map]) mismatch(map, dut.map_data, maps[map], "map");
            map <= map + 1;
        end
        if (dut.y_valid & dut.y_ready & ~rst) begin
            if (dut.y !== ys[y]) mismatch(y, dut.y, ys[y], "normalised");
            y <= y + 1;
        end
        quiet <= quiet + 1;
        if (o_valid & o_ready & ~rst) begin
            if (o_data !== outputs[out]) mismatch(out, o_data, outputs[out], "output");
            if (o_last !== (out % BATCH == BATCH-1)) mismatch(out, o_last, ~o_last, "last");
            if (o_last & (o_error !== 0)) mismatch(out, o_error, 0, "error");
            if (out == 0) first = cycle;
            latest = cycle;
            quiet <= 0;
            out <= out + 1;
        end
        // A few cycles more than it needs: nothing may follow.
        if (quiet == 100 && out == batches*CHANNELS*BATCH || quiet == PATIENCE) begin
            if (wrong != 0 || out != batches*CHANNELS*BATCH || y != out || map != out)
                $display("FAIL %0d wrong, %0d of %0d outputs", wrong, out, batches*CHANNELS*BATCH);
            else
                $display("PASS %0d maps, %0d normalised, %0d outputs, %0d cycles", map, y, out, latest - first + 1);
            $finish;
        end
    end
endmodule
